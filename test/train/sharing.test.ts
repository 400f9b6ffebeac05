/** Many networks in one process: they share its processors and its memory. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { dense, digits, Network, setNativeMemoryLimit, sparse, usage } from '../../lib/index.js'
import { needsAddon } from '../cli/process.js'

const { train } = digits({ train: 640, test: 64, seed: 3 })
const make = (width = 32, seed = 5) =>
  new Network({
    inputs: train.features,
    layers: [sparse(width, { activation: 'relu' }), dense(10)],
    sparsity: 0.8,
    seed,
  })
const weightsOf = async (network: Network) => {
  const { tensors } = await network.snapshot()
  return tensors.map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  )
}

t.test(
  'twelve runs at once, with evaluations and predictions between, give what they give alone',
  needsAddon,
  async (t) => {
    const settings = { epochs: 6, batchSize: 32, threads: 2 }
    using alone = make()
    await alone.fit(train, settings)
    const networks = Array.from({ length: 12 }, () => make())
    using bystander = make()
    const runs = networks.map((network) => network.fit(train, settings))
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0 ? bystander.evaluate(train) : bystander.predict(train),
      ),
    )
    t.equal(answers.length, 20)
    for (const run of runs) t.equal((await run).reason, 'finished')
    const expected = await weightsOf(alone)
    for (const network of networks) {
      t.strictSame(await weightsOf(network), expected)
      network.dispose()
    }
  },
)

t.test('a large run does not starve a small one', needsAddon, async (t) => {
  using large = make(60_000)
  using small = make()
  const abort = new AbortController()
  const long = large.fit(train, { epochs: 1e6, batchSize: 640, threads: 2, signal: abort.signal })
  await sleep(100)
  const { reason, steps } = await small.fit(train, { epochs: 5, batchSize: 32, threads: 2 })
  t.match({ reason, steps }, { reason: 'finished', steps: 100 })
  t.ok(usage().running >= 1)
  abort.abort()
  t.equal((await long).reason, 'cancelled')
})

t.test('usage tells what is held and goes back', needsAddon, async (t) => {
  const before = usage().nativeBytes
  const network = make(5000)
  t.ok(usage().nativeBytes >= before + 0.2 * 5000 * train.features * 8)
  network.dispose()
  t.equal(usage().nativeBytes, before)
  t.match(usage(), { nativeBytesLimit: null, running: Number, waiting: Number })
})

t.test('a memory limit refuses a network, and a run, before they take it', needsAddon, async (t) => {
  t.teardown(() => setNativeMemoryLimit(null))
  using network = make(64)
  const held = usage().nativeBytes
  setNativeMemoryLimit(held + 4e6)
  t.equal(usage().nativeBytesLimit, held + 4e6)
  t.throws(() => make(2 ** 20), {
    code: 'ERR_ESPALIER_MEMORY',
    message: /bytes more would go beyond the limit of \d+ bytes of native memory, of which \d+ are in use/,
  })
  t.equal(usage().nativeBytes, held, 'nothing of it is left')
  // Enough for a copy of the labels, and not for the panels of activations.
  setNativeMemoryLimit(held + 8000)
  await t.rejects(network.fit(train, { epochs: 1, threads: 1 }), { code: 'ERR_ESPALIER_MEMORY' })
  t.equal(network.progress.steps, 0)
  setNativeMemoryLimit(null)
  t.equal((await network.fit(train, { epochs: 1, threads: 1 })).reason, 'finished')
  t.throws(() => setNativeMemoryLimit(0), { code: 'ERR_ESPALIER_OPTION', message: /"bytes" is 0; allowed/ })
})

t.test(
  'workers share with the main thread and clean up when they are terminated in the middle of a run',
  needsAddon,
  async (t) => {
    const before = usage().nativeBytes
    const library = new URL('../../lib/index.js', import.meta.url).href
    const source = `
    const { parentPort } = require('node:worker_threads')
    import(${JSON.stringify(library)}).then(async ({ digits, Network, sparse, dense, usage }) => {
      const { train } = digits({ train: 640, test: 64, seed: 3 })
      const network = new Network({ inputs: train.features, layers: [sparse(256), dense(10)], sparsity: 0.8 })
      const run = network.fit(train, { epochs: 1e6, threads: 2 })
      for await (const event of run) if (event.type === 'epoch') parentPort.postMessage(usage().nativeBytes)
    })`
    const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true }))
    const bytes = await Promise.all(
      workers.map((worker) => new Promise<number>((resolve) => worker.once('message', resolve))),
    )
    t.ok(
      bytes.every((inWorker) => inWorker > before),
      'all are counted together',
    )
    await Promise.all(workers.map((worker) => worker.terminate()))
    t.equal(usage().nativeBytes, before)
    t.same({ running: usage().running, waiting: usage().waiting }, { running: 0, waiting: 0 })
  },
)

/** Training data that comes piece by piece. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import {
  type Dataset,
  dense,
  digits,
  Network,
  rigl,
  type SampleChunk,
  type SampleStream,
  snip,
  sparse,
  usage,
} from '../../lib/index.js'
import { needsAddon } from '../cli/process.js'

const { train, test } = digits({ train: 330, test: 100, seed: 3 })
const make = () =>
  new Network({
    inputs: train.features,
    layers: [sparse(48, { activation: 'relu' }), dense(10)],
    sparsity: 0.8,
    seed: 5,
  })
const weightsOf = async (network: Network) => {
  const { tensors } = await network.snapshot()
  return tensors.map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  )
}
const settings = { epochs: 3, batchSize: 32, threads: 1, rewire: rigl({ every: 4 }), shuffle: false }

/** The data set in chunks of these sizes, in turn. */
function* chunksOf(data: Dataset, sizes: number[]): Generator<SampleChunk> {
  for (let begin = 0, i = 0; begin < data.samples; i++) {
    const end = Math.min(begin + sizes[i % sizes.length]!, data.samples)
    yield {
      values: data.values.subarray(begin * data.features, end * data.features),
      labels: data.labels!.subarray(begin, end),
    }
    begin = end
  }
}

const streamOf = (sizes: number[], more: Partial<SampleStream> = {}): SampleStream => ({
  features: train.features,
  samplesPerEpoch: train.samples,
  async *open() {
    for (const chunk of chunksOf(train, sizes)) {
      await sleep(0)
      yield chunk
    }
  },
  ...more,
})

t.test('a stream of chunks of any size gives the bits of the data set', needsAddon, async (t) => {
  using whole = make()
  const expected = await whole.fit(train, { ...settings, validation: test })
  for (const [sizes, prefetch] of [
    [[32], 4],
    [[1, 7, 100], 1],
    [[330], 2],
    [[33], 65_536 / 4096],
  ] as const) {
    using network = make()
    const result = await network.fit(streamOf([...sizes], { prefetch }), { ...settings, validation: test })
    t.strictSame(await weightsOf(network), await weightsOf(whole), `chunks of ${sizes}`)
    t.equal(result.trainAccuracy, expected.trainAccuracy)
    t.strictSame(result.validation, expected.validation)
  }
})

t.test(
  'a generator that is not asynchronous, and a rule that looks at the first batch',
  needsAddon,
  async (t) => {
    using whole = make()
    using network = make()
    const options = { ...settings, rewire: snip() }
    await whole.fit(train, options)
    await network.fit(streamOf([], { open: () => chunksOf(train, [50]) }), options)
    t.strictSame(await weightsOf(network), await weightsOf(whole))
  },
)

t.test('a run is resumed in the middle of an epoch', needsAddon, async (t) => {
  using whole = make()
  await whole.fit(train, settings)
  using network = make()
  const opened: number[] = []
  const stream = streamOf([40], {
    open: (epoch) => {
      opened.push(epoch)
      return chunksOf(train, [40])
    },
  })
  await network.fit(stream, { ...settings, maxSteps: 15 })
  opened.length = 0
  await network.fit(stream, { resume: true, threads: 1 })
  t.strictSame(opened, [2, 3])
  t.strictSame(await weightsOf(network), await weightsOf(whole))
})

t.test('no more is asked for than is used', needsAddon, async (t) => {
  using network = make()
  let given = 0
  let closed = 0
  const stream: SampleStream = {
    features: train.features,
    samplesPerEpoch: 1e9,
    prefetch: 2,
    async *open() {
      try {
        for (;;) {
          for (const chunk of chunksOf(train, [32])) {
            given += chunk.values.length / train.features
            yield chunk
          }
        }
      } finally {
        closed++
      }
    },
  }
  const run = network.fit(stream, { ...settings, epochs: 1, maxSteps: 50 })
  t.equal((await run).reason, 'maxSteps')
  // 50 batches were used; 2 lie ready, one is being filled and one chunk waits.
  t.ok(given >= 50 * 32 && given <= 55 * 32, `${given}`)
  await sleep(20)
  t.equal(closed, 1, 'the iterator is closed')
  const held = given
  await sleep(20)
  t.equal(given, held)
})

t.test(
  'a run that waits for samples can be looked at, paused, timed and cancelled',
  needsAddon,
  async (t) => {
    using network = make()
    const never: SampleStream = {
      features: train.features,
      samplesPerEpoch: train.samples,
      async *open() {
        yield* chunksOf(train, [64])
        await new Promise(() => {})
      },
    }
    const stuck = { ...never, samplesPerEpoch: 10_000 }
    const timed = network.fit(stuck, { ...settings, maxSeconds: 0.2 })
    await sleep(50)
    t.equal((await timed.snapshot()).counters.step, 10, 'what came is used')
    t.equal(usage().running, 0, 'it takes no processor')
    t.equal((await timed).reason, 'maxSeconds')

    const abort = new AbortController()
    const cancelled = network.fit(stuck, { ...settings, signal: abort.signal })
    await sleep(20)
    cancelled.pause()
    await sleep(20)
    cancelled.resume()
    abort.abort()
    t.equal((await cancelled).reason, 'cancelled')

    const empty = {
      ...stuck,
      open: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }),
    }
    const abortEmpty = new AbortController()
    const before = await weightsOf(network)
    const waiting = network.fit(empty, { ...settings, signal: abortEmpty.signal })
    await sleep(20)
    abortEmpty.abort()
    t.match(await waiting, { reason: 'cancelled' })
    t.strictSame(await weightsOf(network), before, 'a run that never had a sample changes nothing')
  },
)

t.test('what goes wrong in a stream ends the run with its reason', needsAddon, async (t) => {
  const half = { ...train, samples: 200 }
  const fails = async (open: SampleStream['open'], error: { code?: string; message: string | RegExp }) => {
    using network = make()
    await t.rejects(network.fit({ ...streamOf([]), open }, settings), error)
  }
  await fails(
    async function* () {
      yield* chunksOf(half, [50])
      throw new Error('the cable was cut')
    },
    { message: 'the cable was cut' },
  )
  await fails(() => chunksOf(half, [50]), {
    code: 'ERR_ESPALIER_DATA',
    message: 'fit: train: the stream ended after 200 samples of epoch 1; samplesPerEpoch is 330',
  })
  const chunk = (values: Float32Array, labels?: Int32Array) => () => [{ values, ...(labels && { labels }) }]
  await fails(chunk(new Float32Array(5), Int32Array.of(1)), {
    code: 'ERR_ESPALIER_DATA',
    message: /the chunk of epoch 1 from sample 0 on has 5 values; allowed: \{ values \} of samples x/,
  })
  await fails(chunk(new Float32Array(train.features)), {
    code: 'ERR_ESPALIER_DATA',
    message: /has no labels/,
  })
  await fails(chunk(new Float32Array(train.features), Int32Array.of(10)), {
    code: 'ERR_ESPALIER_DATA',
    message: /sample 0 has label 10; allowed: 0 to 9/,
  })
  await fails(chunk(new Float32Array(330 * train.features).fill(Number.NaN), new Int32Array(330)), {
    code: 'ERR_ESPALIER_DATA',
    message: 'sample 0, feature 0 is not a finite number',
  })
})

t.test('what opens as no iterable ends the run', needsAddon, async (t) => {
  for (const [opened, given] of [
    [null, 'null'],
    [undefined, 'undefined'],
    [5, '5'],
    [{}, 'an object'],
    [Promise.resolve([]), 'of class Promise'],
  ] as [never, string][]) {
    using network = make()
    const message = `fit: train: what open(1) returned is ${given}; allowed: an async iterable of chunks, or an iterable`
    const run = network.fit(streamOf([], { open: () => opened }), settings)
    await t.rejects(run, { code: 'ERR_ESPALIER_OPTION', message })
  }
})

t.test('what a stream throws when it is closed comes too late to matter', needsAddon, async (t) => {
  const open = () => {
    const chunks = chunksOf(train, [40])
    return {
      [Symbol.iterator]: () => ({
        next: () => chunks.next(),
        return: () => {
          throw new Error('cannot be closed')
        },
      }),
    }
  }
  using network = make()
  const { reason } = await network.fit(streamOf([40], { open }), { ...settings, maxSteps: 5 })
  t.equal(reason, 'maxSteps')
})

t.test('bad options of a stream', needsAddon, async (t) => {
  using network = make()
  const fit = (more: object) => () => network.fit({ ...streamOf([32]), ...more } as SampleStream, settings)
  t.throws(fit({ samplesPerEpoch: 0 }), { code: 'ERR_ESPALIER_OPTION', message: /"samplesPerEpoch" is 0/ })
  t.throws(fit({ prefetch: 0 }), { code: 'ERR_ESPALIER_OPTION', message: /"prefetch" is 0/ })
  t.throws(fit({ features: 3 }), {
    code: 'ERR_ESPALIER_DATA',
    message: /3 features a sample; the network has/,
  })
  t.throws(fit({ open: 7 }), { code: 'ERR_ESPALIER_OPTION', message: /"open"/ })
})

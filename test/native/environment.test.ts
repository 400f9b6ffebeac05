import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inspect, promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import t from 'tap'

const run = promisify(execFile)

/** What a user gets who says nothing: the GPU where there is one. */
const placement = { device: 'auto', precision: 'float32', denseFallback: false }

const support = new URL('../../lib/native/loader.js', import.meta.url).href

/** What a worker thread does: trains without end, with evaluations and snapshots under way. */
const program = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData.loader).then(({ addon }) => {
    const { Network } = addon()
    const values = new Float32Array(new SharedArrayBuffer(4000))
    const data = { samples: 100, features: 10, values, labels: new Int32Array(100), targets: null }
    const network = new Network(workerData.description, workerData.placement)
    const busy = new Network(workerData.description, workerData.placement)
    network.fit(data, data, workerData.settings, () => parentPort.postMessage('event'))
    for (let i = 0; i < 5; i++) busy.evaluate(data, 2)
    setInterval(() => { for (let i = 0; i < 50; i++) network.snapshot() }, 1)
    if (workerData.exit) setTimeout(() => process.exit(0), 10)
  })
`

async function runWorker(exit: boolean, terminateAfter: number): Promise<void> {
  const { description, settings } = await import('./support.js')
  const workerData = {
    loader: support,
    exit,
    description: description({ inputs: 10 }),
    placement,
    settings: settings({ epochs: 1e9, threads: 2 }),
  }
  const worker = new Worker(program, { eval: true, workerData, execArgv: [] })
  const left = new Promise<void>((resolve, reject) => {
    worker.once('exit', () => resolve())
    worker.once('error', reject)
  })
  if (!exit) {
    await new Promise((resolve) => worker.once('message', resolve))
    await new Promise((resolve) => setTimeout(resolve, terminateAfter))
    await worker.terminate()
  }
  await left
}

t.test('a worker thread that goes away stops its training', async (t) => {
  // A crash or a hang is what fails here.
  for (let i = 0; i < 4; i++) {
    await runWorker(false, i)
    await runWorker(true, 0)
  }
  t.pass('left in peace')
})

t.test('a worker thread may be terminated at any instant', async (t) => {
  // Four at once, so that some are stopped inside a call of the addon, where it can throw nothing any more.
  const oneAfterTheOther = async () => {
    for (let i = 0; i < 15; i++) await runWorker(false, i % 4)
  }
  await Promise.all(Array.from({ length: 4 }, oneAfterTheOther))
  t.pass('left in peace')
})

t.test('several environments have the addon at the same time', async (t) => {
  await Promise.all([runWorker(false, 5), runWorker(false, 1), runWorker(true, 0)])
  t.pass('left in peace')
})

t.test('a process may exit while it trains', async (t) => {
  const { description, settings } = await import('./support.js')
  const workerData = {
    loader: support,
    exit: true,
    description: description({ inputs: 10 }),
    placement,
    settings: settings({ epochs: 1e9 }),
  }
  const prelude = `const workerData = ${JSON.stringify(workerData)}; const parentPort = { postMessage() {} };`
  const script = prelude + program.slice(program.indexOf('import('))
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  // More at once than there are processors: what is destroyed too early is found by a thread that comes late.
  for (let round = 0; round < 6; round++) {
    const children = Array.from({ length: 4 }, () =>
      run(process.execPath, ['-e', script], { timeout: 60000, cwd }),
    )
    for (const child of await Promise.allSettled(children)) t.equal(child.status, 'fulfilled', inspect(child))
  }
})

t.test('an idle network does not keep the process alive', async (t) => {
  const { description } = await import('./support.js')
  const script = `import(${JSON.stringify(support)}).then(async ({ addon }) => {
    const network = new (addon().Network)(${JSON.stringify(description())}, ${JSON.stringify(placement)})
    await network.snapshot()
    globalThis.kept = network
  })`
  await t.resolves(run(process.execPath, ['-e', script], { timeout: 60000 }))
})

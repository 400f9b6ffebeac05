import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'

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
    setInterval(() => network.snapshot(), 1)
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

t.test('several environments have the addon at the same time', async (t) => {
  await Promise.all([runWorker(false, 5), runWorker(false, 1), runWorker(true, 0)])
  t.pass('left in peace')
})

t.test('a process may exit while it trains', async (t) => {
  const { spawnSync } = await import('node:child_process')
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
  const child = spawnSync(process.execPath, ['-e', script], {
    timeout: 60000,
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })
  t.equal(child.status, 0, child.stderr.toString())
})

t.test('an idle network does not keep the process alive', async (t) => {
  const { spawnSync } = await import('node:child_process')
  const { description } = await import('./support.js')
  const script = `import(${JSON.stringify(support)}).then(async ({ addon }) => {
    const network = new (addon().Network)(${JSON.stringify(description())}, ${JSON.stringify(placement)})
    await network.snapshot()
    globalThis.kept = network
  })`
  const child = spawnSync(process.execPath, ['-e', script], { timeout: 60000 })
  t.equal(child.signal, null)
  t.equal(child.status, 0, child.stderr.toString())
})

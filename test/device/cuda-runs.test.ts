/** What can be done with a run on the GPU: look at it, stop it, go on with it elsewhere, have several at once. */
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { adam, dense, Network, rigl, set, sgd, sparse, staticTopology } from '../../lib/index.js'
import { espalier, smallTable } from '../cli/process.js'
import { data, distance, noCuda, pair } from './support.js'

const forever = { epochs: 1e6, batchSize: 16 }

t.test('a checkpoint moves between the devices, and training goes on', { skip: noCuda }, async (t) => {
  const folder = t.testdir()
  for (const optimizer of [sgd({ learningRate: 0.05 }), adam({ learningRate: 0.003 })]) {
    const settings = { epochs: 4, batchSize: 18, optimizer, threads: 1 }
    const { cpu, cuda } = pair()
    const whole = await cpu.fit(data, settings)
    await cuda.fit(data, { ...settings, epochs: 2 })
    const file = path.join(folder, `${optimizer.type}.safetensors`)
    await cuda.save(file)
    for (const device of ['cpu', 'cuda'] as const) {
      const resumed = await Network.load(file, { device })
      t.strictSame(
        (await resumed.snapshot()).tensors,
        (await cuda.snapshot()).tensors,
        'the file holds everything',
      )
      const result = await resumed.fit(data, { epochs: 4, resume: true, threads: 1 })
      t.equal(resumed.plan().device, device)
      t.match(result, { reason: 'finished', epochs: 4, steps: whole.steps })
      const losses = (of: typeof whole) => of.history.slice(-2).map(({ train }) => train.loss)
      t.ok(
        distance(losses(result), losses(whole)) < 1e-3,
        `${optimizer.type}: ${losses(result)}, ${losses(whole)}`,
      )
      await resumed.save(file)
      t.equal((await Network.load(file)).progress.epochs, 4)
      await cuda.save(file)
    }
  }
})

t.test('a run that moves connections goes on where it stopped', { skip: noCuda }, async (t) => {
  for (const rewire of [set({ every: 7 }), rigl({ every: 7 })]) {
    const file = path.join(t.testdir(), 'model.safetensors')
    const { cuda } = pair()
    const before = cuda.summary()
    const first = await cuda.fit(data, { epochs: 4, batchSize: 16, rewire, maxSteps: 16 })
    t.equal(first.reason, 'maxSteps')
    await cuda.save(file)
    const resumed = await Network.load(file, { device: 'cuda' })
    t.match(await resumed.fit(data, { resume: true }), { reason: 'finished', epochs: 4, steps: 40 })
    t.equal(resumed.progress.rewirings, rewire.type === 'rigl' ? 4 : 5)
    t.strictSame(resumed.summary(), before, 'as many connections as at the start')
    // Every invariant of the pattern is checked on the way in.
    await resumed.save(file)
    await (await Network.load(file, { device: 'cpu' })).evaluate(data)
  }
})

t.test('looking at a run between two steps', { skip: noCuda }, async (t) => {
  const { cuda } = pair()
  const controller = new AbortController()
  const run = cuda.fit(data, { ...forever, rewire: rigl({ every: 7 }), signal: controller.signal })
  const file = path.join(t.testdir(), 'model.safetensors')
  let steps = 0
  for (let i = 0; i < 5; i++) {
    const { counters, tensors } = await cuda.snapshot()
    t.ok(counters.step >= steps)
    steps = counters.step
    t.equal(counters.step, counters.epoch * 10 + counters.stepInEpoch)
    t.equal(counters.samplesSeen, counters.stepInEpoch * 16, 'sums belong to the steps that are counted')
    t.equal(counters.lossSum > 0, counters.stepInEpoch > 0)
    t.ok(tensors.every(({ data }) => !(data instanceof Float32Array) || data.every(Number.isFinite)))
    await cuda.save(file)
    const { progress } = await Network.load(file, { device: 'cpu' })
    t.ok(progress.steps >= steps, 'and it loads')
  }
  t.ok(cuda.memory().workspace > 0)
  t.throws(() => cuda.fit(data), { code: 'ERR_ESPALIER_STATE' })
  controller.abort()
  const result = await run
  t.equal(result.reason, 'cancelled')
  const { counters } = await cuda.snapshot()
  t.equal(counters.step, result.steps)
  t.equal(counters.samplesSeen, counters.stepInEpoch * 16)
  t.equal(cuda.progress.steps, result.steps)
  t.match(await cuda.fit(data, { epochs: 1, batchSize: 16 }), { reason: 'finished', steps: 10 }, 'free again')
})

t.test('a diverging run says at which step', { skip: noCuda }, async (t) => {
  const { cuda } = pair()
  const run = cuda.fit(data, { ...forever, optimizer: sgd({ learningRate: 1e20 }) })
  const error = await run.then(
    () => null,
    (reason: unknown) => reason as Error & { code: string },
  )
  t.equal(error?.code, 'ERR_ESPALIER_DIVERGED')
  t.equal(cuda.progress.steps, Number(/step (\d+)/.exec(error!.message)![1]) - 1, 'those before it count')
})

t.test('bad samples are refused before the GPU sees them', { skip: noCuda }, async (t) => {
  const { cuda } = pair()
  const values = Float32Array.from(data.values)
  values[3 * 20 + 7] = Number.NaN
  const named = { code: 'ERR_ESPALIER_DATA', message: /sample 3, feature 7/ }
  await t.rejects(cuda.fit({ ...data, values }), named)
  await t.rejects(cuda.evaluate({ ...data, values }), named)
  await t.rejects(cuda.predict(values), named)
  t.strictSame(cuda.progress, { epochs: 0, steps: 0, rewirings: 0 })
})

const settings = { epochs: 3, batchSize: 16, optimizer: sgd({ learningRate: 0.05 }) }

t.test('two networks at once in one process', { skip: noCuda }, async (t) => {
  const alone = pair()
  const expected = await alone.cuda.fit(data, { ...settings, rewire: staticTopology() })
  const networks = [pair().cuda, pair().cuda]
  const results = await Promise.all(networks.map((network) => network.fit(data, settings)))
  for (const { trainLoss } of results) t.ok(Math.abs(trainLoss! - expected.trainLoss!) < 1e-3, `${trainLoss}`)
})

t.test('two worker threads', { skip: noCuda }, async (t) => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.espalier).then(async ({ Network, sparse, dense }) => {
      const network = new Network({ inputs: 20, layers: [sparse(32), dense(4)], sparsity: 0.6, device: 'cuda' })
      const result = await network.fit(workerData.data, workerData.settings)
      parentPort.postMessage({ device: network.plan().device, loss: result.trainLoss })
    })`
  const workerData = { espalier: new URL('../../lib/index.js', import.meta.url).href, data, settings }
  const train = () =>
    new Promise<{ device: string; loss: number }>((resolve, reject) => {
      const worker = new Worker(program, { eval: true, workerData, execArgv: [] })
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  const network = new Network({ inputs: 20, layers: [sparse(32), dense(4)], sparsity: 0.6, device: 'cpu' })
  const { trainLoss } = await network.fit(data, settings)
  for (const { device, loss } of await Promise.all([train(), train()])) {
    t.equal(device, 'cuda')
    t.ok(Math.abs(loss - trainLoss!) < 1e-3, `${loss}`)
  }
})

t.test('a worker thread that goes away stops its training', { skip: noCuda }, async (t) => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.espalier).then(({ Network, sparse, dense }) => {
      const network = new Network({ inputs: 20, layers: [sparse(32), dense(4)], sparsity: 0.6, device: 'cuda' })
      network.fit(workerData.data, { epochs: 1e6 }).catch(() => {})
      setInterval(() => network.snapshot().then(() => parentPort.postMessage('looked')), 1)
    })`
  const workerData = { espalier: new URL('../../lib/index.js', import.meta.url).href, data }
  for (let i = 0; i < 2; i++) {
    const worker = new Worker(program, { eval: true, workerData, execArgv: [] })
    await new Promise((resolve) => worker.once('message', resolve))
    await worker.terminate()
  }
  t.pass('left in peace')
})

t.test('the command line', { skip: noCuda }, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const options = '--label kind --hidden 16 --sparsity 0.5 --epochs 2 --batch 16 --out run --device cuda'
  const { code, stderr, json } = await espalier(folder, [
    'train',
    'table.csv',
    ...options.split(' '),
    '--verbose',
    '--json',
  ])
  t.equal(code, 0, stderr)
  t.match(json(), { reason: 'finished', device: 'cuda', card: String, precision: 'float32' })
  t.match(json().plan, { device: 'cuda', products: [{ layer: 0, product: String, chosen: String }] })
  const model = path.join('run', 'model.safetensors')
  const more = await espalier(folder, [
    'train',
    '--resume',
    model,
    '--epochs',
    '3',
    '--device',
    'cpu',
    '--json',
  ])
  t.equal(more.code, 0, more.stderr)
  t.match(more.json(), { device: 'cpu', card: null, epochs: 3 }, 'a resumed run may go on elsewhere')
  const evaluated = await espalier(folder, ['evaluate', model, 'table.csv', '--device', 'cuda', '--verbose'])
  t.equal(evaluated.code, 0, evaluated.stderr)
  t.match(evaluated.stderr, /^device cuda/)
  const predicted = await espalier(folder, ['predict', model, 'table.csv', '--device', 'cuda'])
  t.equal(predicted.code, 0, predicted.stderr)
  const doctor = await espalier(folder, ['doctor'])
  t.match(doctor.stdout, /\ngpu .*compute \d+\.\d\), driver \d+\.\d, CUDA \d+\.\d/)
})

t.test('another array in the place of the last one is seen', { skip: noCuda }, async (t) => {
  const { cpu, cuda } = pair()
  const values = new Float32Array(new SharedArrayBuffer(data.values.byteLength))
  const set = { ...data, values }
  for (const factor of [1, -1]) {
    values.set(data.values.map((value) => factor * value))
    t.ok(distance(await cuda.predict(set), await cpu.predict(set)) < 1e-4)
    const [found, expected] = [await cuda.evaluate(set), await cpu.evaluate(set)]
    t.ok(Math.abs(found.loss - expected.loss) < 1e-4 * expected.loss, `${found.loss}, ${expected.loss}`)
  }
})

t.test('a run from a stream, paused and ended by steps', { skip: noCuda }, async (t) => {
  const stream = {
    features: data.features,
    samplesPerEpoch: data.samples,
    *open() {
      const size = 23
      for (let begin = 0; begin < data.samples; begin += size) {
        yield {
          values: data.values.slice(begin * data.features, (begin + size) * data.features),
          labels: data.labels!.slice(begin, begin + size),
        }
      }
    },
  }
  const settings = { epochs: 6, batchSize: 18, rewire: rigl({ every: 7 }), shuffle: false, threads: 1 }
  const { cpu, cuda } = pair()
  const whole = await cpu.fit(data, settings)
  const first = await cuda.fit(stream, { ...settings, maxSteps: 13 })
  t.match(first, { reason: 'maxSteps', steps: 13 })
  const run = cuda.fit(stream, { resume: true })
  run.pause()
  t.ok((await run.snapshot()).counters.step >= 13)
  run.resume()
  const result = await run
  t.match(result, { reason: 'finished', steps: whole.steps })
  const losses = (of: typeof whole) => of.history.slice(-2).map(({ train }) => train.loss)
  t.ok(distance(losses(result), losses(whole)) < 1e-2, `${losses(result)}, ${losses(whole)}`)
})

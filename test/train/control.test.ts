/** What a run can be asked for while it is under way, and how it ends. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import {
  adam,
  dense,
  digits,
  Network,
  type NetworkSnapshot,
  type RunEvent,
  set,
  sparse,
} from '../../lib/index.js'
import { needsAddon } from '../cli/process.js'

const { train, test } = digits({ train: 640, test: 200, seed: 3 })
const make = () =>
  new Network({
    inputs: train.features,
    layers: [sparse(48, { activation: 'relu' }), sparse(32, { activation: 'relu' }), dense(10)],
    sparsity: 0.8,
    seed: 5,
  })
const bits = ({ tensors }: NetworkSnapshot) =>
  tensors.map(
    ({ name, data }) =>
      `${name} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`,
  )
const settings = { epochs: 3, batchSize: 32, rewire: set({ every: 7 }), threads: 1 }

t.test(
  'maxSteps ends a run between two steps, and the next one goes on to the same bits',
  needsAddon,
  async (t) => {
    using whole = make()
    await whole.fit(train, settings)
    using pieces = make()
    const first = await pieces.fit(train, { ...settings, maxSteps: 13 })
    t.match(first, { reason: 'maxSteps', steps: 13, epochs: 0 })
    const second = await pieces.fit(train, { resume: true, threads: 2, maxSteps: 20 })
    t.match(second, { reason: 'maxSteps', steps: 33, epochs: 1 })
    const last = await pieces.fit(train, { resume: true, threads: 1 })
    t.match(last, { reason: 'finished', steps: 60, epochs: 3 })
    t.strictSame(bits(await pieces.snapshot()), bits(await whole.snapshot()))
  },
)

t.test('maxSteps that is reached with the last epoch is a finished run', needsAddon, async (t) => {
  using network = make()
  t.equal((await network.fit(train, { ...settings, maxSteps: 60 })).reason, 'finished')
})

t.test('maxSeconds', needsAddon, async (t) => {
  using network = make()
  const { reason, steps } = await network.fit(train, { ...settings, epochs: 1e6, maxSeconds: 0.2 })
  t.equal(reason, 'maxSeconds')
  t.ok(steps > 0)
})

t.test('a paused run rests, can be looked at, and goes on to the same bits', needsAddon, async (t) => {
  using whole = make()
  await whole.fit(train, { ...settings, epochs: 40 })
  using network = make()
  const run = network.fit(train, { ...settings, epochs: 40, maxSeconds: 60 })
  run.pause()
  t.equal(run.paused, true)
  await sleep(50)
  const resting = await run.snapshot()
  await sleep(50)
  t.equal((await run.snapshot()).counters.step, resting.counters.step, 'no step is done meanwhile')
  t.ok(resting.counters.step < 800)
  run.resume()
  t.equal(run.paused, false)
  t.equal((await run).reason, 'finished')
  t.strictSame(bits(await network.snapshot()), bits(await whole.snapshot()))
  run.pause()
  t.equal(run.paused, false, 'a run that is over does not rest')
})

t.test('a paused run is cancelled by its signal, and by dispose', needsAddon, async (t) => {
  const abort = new AbortController()
  using network = make()
  const run = network.fit(train, { ...settings, epochs: 1e5, signal: abort.signal })
  run.pause()
  await sleep(20)
  abort.abort()
  t.equal((await run).reason, 'cancelled')
  t.equal(run.paused, false)
  const disposed = make()
  const other = disposed.fit(train, { ...settings, epochs: 1e5 })
  other.pause()
  await sleep(20)
  disposed.dispose()
  t.equal((await other).reason, 'cancelled')
  t.equal(other.paused, false)
})

t.test('a pause asked for before a run does not hold the next one', needsAddon, async (t) => {
  using network = make()
  const abort = new AbortController()
  const first = network.fit(train, { ...settings, epochs: 1e5, signal: abort.signal })
  first.pause()
  abort.abort()
  await first
  t.equal((await network.fit(train, { ...settings, epochs: 1 })).reason, 'finished')
})

t.test('early stopping', needsAddon, async (t) => {
  // Nothing is better by 100: the first epoch stays the best.
  const earlyStopping = { patience: 2, minimumChange: 100 }
  using network = make()
  const run = await network.fit(train, { ...settings, epochs: 9, earlyStopping, validation: test })
  t.match(run, { reason: 'earlyStopping', epochs: 3 })
  t.match((await network.snapshot()).counters.best, { watched: 'validationLoss', epoch: 1 })
  const again = await network.fit(train, { resume: true, validation: test })
  t.match(again, { reason: 'earlyStopping', epochs: 3 }, 'a resumed run knows that it is over')
  const on = await network.fit(train, { resume: true, validation: test, earlyStopping: null })
  t.match(on, { reason: 'finished', epochs: 9 })
})

t.test('early stopping goes on where a run was stopped', needsAddon, async (t) => {
  const options = {
    ...settings,
    epochs: 60,
    validation: test,
    earlyStopping: { patience: 3, metric: 'validationAccuracy' as const },
  }
  using whole = make()
  const uninterrupted = await whole.fit(train, options)
  t.equal(uninterrupted.reason, 'earlyStopping')
  using pieces = make()
  await pieces.fit(train, { ...options, maxSteps: 37 })
  const file = join(t.testdir(), 'model.safetensors')
  await pieces.save(file)
  using loaded = await Network.load(file)
  const rest = await loaded.fit(train, { resume: true, validation: test })
  t.match(rest, { reason: 'earlyStopping', epochs: uninterrupted.epochs })
  t.strictSame(bits(await loaded.snapshot()), bits(await whole.snapshot()))
  t.strictSame((await loaded.snapshot()).counters.best, (await whole.snapshot()).counters.best)
})

t.test('checkpoints every so many steps, the last ones and the best', needsAddon, async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'model.safetensors')
  using network = make()
  const run = network.fit(train, {
    ...settings,
    validation: test,
    checkpoint: { path, every: { steps: 15 }, keep: { last: 2, best: true } },
  })
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  const saved = events.filter((event) => event.type === 'checkpoint')
  const newest = saved.filter((event) => event.path === path)
  t.ok(newest.length > 0)
  t.equal(newest.at(-1)?.step, 60)
  // A checkpoint that is due while the last one is written comes a step later or more.
  t.ok(newest.every(({ step }) => step >= 15))
  const best = (await network.snapshot()).counters.best!
  using kept = await Network.load(join(folder, 'model.best.safetensors'))
  t.equal(kept.progress.epochs, best.epoch)
  t.same((await kept.evaluate(test)).loss, best.value)
  t.ok(existsSync(join(folder, 'model.step-60.safetensors')))
  using last = await Network.load(path)
  t.equal(last.progress.steps, 60)
})

t.test('bad options name what is allowed', needsAddon, async (t) => {
  using network = make()
  const fit = (options: object) => () => network.fit(train, { ...settings, ...options } as never)
  t.throws(fit({ maxSteps: 0 }), { message: /^fit: option "maxSteps" is 0; allowed: a whole number/ })
  t.throws(fit({ maxSeconds: 0 }), { message: /^fit: option "maxSeconds" is 0; allowed: / })
  t.throws(fit({ earlyStopping: { patience: 1, metric: 'validationLoss' } }), {
    message:
      'fit: option "earlyStopping.metric" is "validationLoss"; there is no validation set; allowed: trainLoss, trainAccuracy',
  })
  t.throws(fit({ earlyStopping: { metric: 'trainLoss' } }), {
    message: /option "earlyStopping.patience" is missing; allowed: a whole number/,
  })
  t.throws(fit({ checkpoint: { path: 'x', every: { minutes: 1 } } }), { message: /option "checkpoint.every/ })
  t.throws(fit({ checkpoint: { path: 'x', every: 0 } }), {
    message: /option "checkpoint.every" is 0; allowed: a whole number of epochs >= 1, \{ epochs \}/,
  })
  t.throws(fit({ checkpoint: { path: 'x', keep: { last: 0 } } }), { message: /"checkpoint.keep.last" is 0/ })
})

t.test('a run is cancelled while it validates, and goes on with that', needsAddon, async (t) => {
  const features = 64
  const waves = (samples: number) => ({
    name: 'waves',
    samples,
    features,
    values: new Float32Array(samples * features).map((_, i) => Math.sin(i)),
    labels: new Int32Array(samples).map((_, i) => i % 3),
    classes: 3,
  })
  const wide = () =>
    new Network({
      inputs: features,
      layers: [sparse(1024, { sparsity: 0.5 }), dense(1024), dense(3)],
      seed: 1,
    })
  const few = waves(20)
  const asked = { epochs: 2, batchSize: 20, rewire: set({ every: 1 }), threads: 1, validation: waves(8000) }
  using whole = wide()
  const { history } = await whole.fit(few, asked)

  const abort = new AbortController()
  using network = wide()
  const run = network.fit(few, { ...asked, signal: abort.signal })
  for await (const event of run) if (event.type === 'rewire') abort.abort()
  const cancelled = await run
  t.match(cancelled, { reason: 'cancelled', steps: 1, epochs: 0, history: [] })
  const rest = await network.fit(few, { resume: true, threads: 2, validation: asked.validation })
  t.match(rest, { reason: 'finished', steps: 2, epochs: 2 })
  const facts = ({ epoch, step, train, validation, learningRate }: (typeof history)[number]) => ({
    epoch,
    step,
    train,
    validation,
    learningRate,
  })
  t.strictSame(rest.history.map(facts), history.map(facts))
  t.strictSame(bits(await network.snapshot()), bits(await whole.snapshot()))
})

t.test('the speed of an epoch that was gone on with is that of its rest', needsAddon, async (t) => {
  using network = make()
  await network.fit(train, { ...settings, maxSteps: 19 })
  const { history } = await network.fit(train, { resume: true, threads: 1, maxSteps: 1 })
  const { samplesPerSecond, seconds } = history[0]!
  t.ok(Math.abs(samplesPerSecond * seconds - 32) < 1e-6, `${samplesPerSecond * seconds} samples`)
})

t.test('a validation loss that is no number is never the best', needsAddon, async (t) => {
  const values = test.values.slice()
  for (let i = 0; i < 10 * test.features; i++) values[i] = i % 2 === 0 ? 3e38 : -3e38
  using network = make()
  const options = { ...settings, validation: { ...test, values }, earlyStopping: { patience: 2 } }
  const { history } = await network.fit(train, options)
  t.notOk(Number.isFinite(history[0]!.validation!.loss))
  const snapshot = await network.snapshot()
  t.equal(snapshot.counters.best ?? null, null)
  Network.restore(snapshot).dispose()
})

t.test('counters beyond 2^31 are trained on with', needsAddon, async (t) => {
  const optimizer = adam({ learningRate: 0.001 })
  using network = make()
  await network.fit(train, { ...settings, epochs: 1, optimizer })
  const { counters, ...rest } = await network.snapshot()
  for (const far of [2 ** 31 - 2, 2 ** 31, 2 ** 40]) {
    using late = Network.restore({ ...rest, counters: { ...counters, step: far, updates: far } })
    const { reason, trainLoss } = await late.fit(train, { resume: true, epochs: 3, threads: 1 })
    t.equal(reason, 'finished')
    t.ok(trainLoss! < 2, `loss ${trainLoss}`)
  }
})

t.test(
  'a consumer that throws in its loop stops neither the run nor other readers',
  needsAddon,
  async (t) => {
    using network = make()
    const run = network.fit(train, { ...settings, epochs: 5 })
    const careless = (async () => {
      for await (const event of run) if (event.type === 'epoch') throw new Error('of the consumer')
    })().catch((error: Error) => error.message)
    const epochs: number[] = []
    for await (const event of run) if (event.type === 'epoch') epochs.push(event.epoch)
    t.equal(await careless, 'of the consumer')
    t.strictSame(epochs, [1, 2, 3, 4, 5])
    t.equal((await run).reason, 'finished')
  },
)

t.test('a consumer that never comes back sees the latest progress and every epoch', needsAddon, async (t) => {
  using network = make()
  const run = network.fit(train, { ...settings, epochs: 400 })
  const reader = run[Symbol.asyncIterator]()
  const { reason, history } = await run
  t.equal(reason, 'finished')
  let [progress, epochs] = [0, 0]
  for (let next = await reader.next(); !next.done; next = await reader.next()) {
    if (next.value.type === 'progress') progress++
    if (next.value.type === 'epoch') epochs++
  }
  t.equal(epochs, history.length)
  t.ok(progress <= 1, 'progress is not heaped up')
})

t.test('a data set that changes under a run does not lead it out of its memory', needsAddon, async (t) => {
  const values = new Float32Array(new SharedArrayBuffer(train.values.byteLength))
  values.set(train.values)
  const labels = train.labels!.slice()
  using network = make()
  const run = network.fit({ ...train, values, labels }, { ...settings, epochs: 1e6 })
  for await (const event of run) if (event.type === 'epoch') break
  // Labels were copied, so that none can point outside the network; values are read in place.
  labels.fill(2 ** 31 - 1)
  values.fill(Number.POSITIVE_INFINITY)
  await t.rejects(run, { code: 'ERR_ESPALIER_DIVERGED' })
})

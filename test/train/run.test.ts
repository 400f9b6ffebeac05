import { spawnSync } from 'node:child_process'
import t from 'tap'
import type { RunEvent } from '../../lib/train/events.js'
import {
  endEvent,
  epochEvent,
  FakeNative,
  fakeRun,
  names,
  progressEvent,
  rewireEvent,
  settle,
} from './fake-native.js'

const diverged = { code: 'ERR_ESPALIER_DIVERGED', message: 'the loss is NaN at step 12' }

async function collect(events: AsyncIterable<RunEvent>, into: RunEvent[] = []): Promise<RunEvent[]> {
  for await (const event of events) into.push(event)
  return into
}

t.test('a run resolves to its result, and can be awaited again', async (t) => {
  const native = new FakeNative()
  const run = fakeRun(native)
  native.send(epochEvent(1))
  native.send(rewireEvent(15))
  native.send(epochEvent(2))
  native.send(endEvent())
  const result = await run
  t.match(result, {
    reason: 'finished',
    epochs: 2,
    steps: 20,
    trainLoss: 0.5,
    trainAccuracy: 0.5,
    validation: { loss: 1, accuracy: 0.4 },
    samplesPerSecond: 100,
    rewireSeconds: 0.5,
  })
  t.strictSame(result.history, [epochEvent(1), epochEvent(2)])
  t.strictSame(result.rewirings, [rewireEvent(15)])
  t.equal(await run, result)
  t.equal(await run.finally(() => {}), result)
})

t.test('a reader that keeps up sees every event in order', async (t) => {
  const native = new FakeNative()
  const run = fakeRun(native)
  const seen: RunEvent[] = []
  const reading = collect(run, seen)
  for (const event of [
    progressEvent(1),
    progressEvent(2),
    epochEvent(1),
    progressEvent(11),
    rewireEvent(12),
    endEvent(),
  ]) {
    native.send(event)
    await settle()
  }
  await reading
  t.strictSame(names(seen), ['progress', 'progress', 'epoch 1', 'progress', 'rewire', 'end'])
})

t.test('a slow reader finds only the latest progress, and every other event', async (t) => {
  const native = new FakeNative()
  const run = fakeRun(native)
  const slow = run[Symbol.asyncIterator]()
  for (let step = 1; step <= 100_000; step++) native.send(progressEvent(step))
  t.match(await slow.next(), { value: { type: 'progress', step: 100_000 } })
  native.send(progressEvent(100_001))
  native.send(epochEvent(1))
  native.send(epochEvent(2))
  native.send(progressEvent(100_002))
  native.send(progressEvent(100_003))
  t.match(await slow.next(), { value: { type: 'epoch', epoch: 1 } })
  t.match(await slow.next(), { value: { type: 'epoch', epoch: 2 } })
  t.match(await slow.next(), { value: { type: 'progress', step: 100_003 } })
  native.send(endEvent())
  t.match(await slow.next(), { value: { type: 'end', reason: 'finished' } })
  t.strictSame(await slow.next(), { done: true, value: undefined })
  t.strictSame(await slow.next(), { done: true, value: undefined }, 'the end stays the end')
})

t.test('several readers see the same events, one that comes late as well', async (t) => {
  const native = new FakeNative()
  const run = fakeRun(native)
  const first = collect(run)
  native.send(epochEvent(1))
  const second = collect(run)
  await settle()
  native.send(rewireEvent(11))
  native.send(epochEvent(2))
  native.send(endEvent())
  await run
  const expected = ['epoch 1', 'rewire', 'epoch 2', 'end']
  t.strictSame(names(await first), expected)
  t.strictSame(names(await second), expected)
  t.strictSame(names(await collect(run)), expected)
})

t.test('leaving the loop does not stop the run', async (t) => {
  const native = new FakeNative()
  const run = fakeRun(native)
  native.send(epochEvent(1))
  for await (const event of run) {
    t.equal(event.type, 'epoch')
    break
  }
  t.equal(native.cancels, 0)
  native.send(epochEvent(2))
  native.send(endEvent())
  t.equal((await run).history.length, 2)
})

t.test('an aborted signal stops the run, which resolves as cancelled', async (t) => {
  const native = new FakeNative()
  const controller = new AbortController()
  const run = fakeRun(native, { signal: controller.signal })
  native.send(epochEvent(1))
  controller.abort()
  t.equal(native.cancels, 1)
  native.send(endEvent('cancelled'))
  t.match(await run, { reason: 'cancelled', trainLoss: 1 })
})

t.test('a signal that is aborted already lets no step be done', async (t) => {
  const native = new FakeNative()
  const run = fakeRun(native, { signal: AbortSignal.abort(), before: { epochs: 3, steps: 30, rewirings: 0 } })
  t.match(await run, { reason: 'cancelled', epochs: 3, steps: 30, trainLoss: null, history: [] })
  t.equal(native.fits, 0)
  t.strictSame(names(await collect(run)), ['end'])
})

t.test('a signal that is aborted after the end does nothing', async (t) => {
  const native = new FakeNative()
  const controller = new AbortController()
  const run = fakeRun(native, { signal: controller.signal })
  native.send(endEvent())
  await run
  controller.abort()
  t.equal(native.cancels, 0)
})

t.test(
  'what fails rejects with the code of the addon; readers throw it after the events before it',
  async (t) => {
    const native = new FakeNative()
    const run = fakeRun(native)
    const seen: RunEvent[] = []
    const reading = collect(run, seen)
    native.send(epochEvent(1))
    native.send(endEvent('failed', diverged))
    await t.rejects(run, diverged)
    await t.rejects(reading, diverged)
    t.strictSame(names(seen), ['epoch 1'])
    const late = run[Symbol.asyncIterator]()
    t.match(await late.next(), { value: { type: 'epoch' } })
    await t.rejects(late.next(), diverged)
    t.strictSame(await late.next(), { done: true, value: undefined }, 'an iterator that threw is done')
  },
)

t.test('what the addon refuses at once is thrown at once', (t) => {
  const native = new FakeNative()
  native.fit = () => {
    throw Object.assign(new Error('the network is in use'), { code: 'ERR_ESPALIER_STATE' })
  }
  t.throws(() => fakeRun(native), { name: 'EspalierError', code: 'ERR_ESPALIER_STATE' })
  t.end()
})

/** How a process ends whose run fails while `reader` is all that looks at it. */
function failingProcess(reader: string) {
  const code = `
    import { Run } from ${JSON.stringify(new URL('../../lib/train/run.js', import.meta.url).href)}
    let fail
    const run = new Run(() => new Promise((_, reject) => { fail = reject }))
    ${reader}
    fail(new Error('it diverged'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    console.log('still here')`
  const env = { ...process.env, NODE_OPTIONS: '' }
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' })
}

t.test('a failed run that nobody looks at is an unhandled rejection, as of any promise', (t) => {
  const ended = failingProcess('')
  t.not(ended.status, 0)
  t.match(ended.stderr, 'it diverged')
  t.end()
})

t.test('a failed run that is read by a loop alone fails in the loop alone', (t) => {
  const ended = failingProcess(`
    ;(async () => { for await (const event of run); })().catch((error) => console.log('loop: ' + error.message))
    await null`)
  t.equal(ended.status, 0, ended.stderr)
  t.strictSame(ended.stdout.trim().split('\n'), ['loop: it diverged', 'still here'])
  t.end()
})

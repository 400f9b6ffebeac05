import t from 'tap'
import { EspalierError } from '../../lib/errors.js'
import type { NetworkSnapshot } from '../../lib/model/snapshot.js'
import { endEvent, epochEvent, FakeNative, fakeRun, settle, snapshotAt } from './fake-native.js'

/** A disk that finishes a file when it is told to. */
class FakeDisk {
  files: number[] = []
  #waiting: { epoch: number; done: () => void; fail: (error: Error) => void }[] = []

  write = (_path: string, { counters }: NetworkSnapshot) =>
    new Promise<void>((done, fail) => {
      this.#waiting.push({ epoch: counters.epoch, done, fail })
    })

  get waiting(): number[] {
    return this.#waiting.map(({ epoch }) => epoch)
  }

  async finish(error?: Error): Promise<void> {
    const { epoch, done, fail } = this.#waiting.shift()!
    if (error === undefined) {
      this.files.push(epoch)
      done()
    } else fail(error)
    await settle()
  }
}

const path = 'model.safetensors'

t.test('every Nth epoch is saved, and the end', async (t) => {
  const native = new FakeNative()
  const written: number[] = []
  let epoch = 0
  const run = fakeRun(native, {
    checkpoint: { path, every: 2 },
    take: async () => snapshotAt(epoch),
    write: async (_path, { counters }) => {
      written.push(counters.epoch)
    },
  })
  for (epoch = 1; epoch <= 5; epoch++) {
    native.send(epochEvent(epoch))
    await settle()
  }
  epoch = 5
  native.send(endEvent())
  await run
  t.strictSame(written, [2, 4, 5])
  const saved = []
  for await (const event of run) if (event.type === 'checkpoint') saved.push(event)
  t.strictSame(saved[0], { type: 'checkpoint', path, epoch: 2, step: 20 })
  t.equal(saved.length, 3)
})

t.test('a slow disk delays checkpoints and skips all but the newest', async (t) => {
  const native = new FakeNative()
  const disk = new FakeDisk()
  let epoch = 0
  const run = fakeRun(native, {
    checkpoint: { path, every: 1 },
    take: async () => snapshotAt(epoch),
    write: disk.write,
  })
  for (epoch = 1; epoch <= 4; epoch++) {
    native.send(epochEvent(epoch))
    await settle()
  }
  epoch = 4
  t.strictSame(disk.waiting, [1], 'one file at a time')
  await disk.finish()
  t.strictSame(disk.waiting, [4])
  let ended = false
  run.then(() => {
    ended = true
  })
  native.send(endEvent('cancelled'))
  await disk.finish()
  t.strictSame(disk.waiting, [4], 'the end is saved after it, also of a cancelled run')
  t.equal(ended, false, 'the run is not over before its last file')
  await disk.finish()
  t.equal(ended, true)
  t.strictSame(disk.files, [1, 4, 4])
})

t.test('a checkpoint that cannot be written stops the run with its reason', async (t) => {
  const native = new FakeNative()
  const disk = new FakeDisk()
  const run = fakeRun(native, { checkpoint: { path, every: 1 }, write: disk.write })
  native.send(epochEvent(1))
  await settle()
  const full = Object.assign(new Error('cannot write model: the disk is full (ENOSPC)'), {
    code: 'ERR_ESPALIER_FILE',
  })
  await disk.finish(full)
  t.equal(native.cancels, 1)
  native.send(endEvent('cancelled'))
  await t.rejects(run, { code: 'ERR_ESPALIER_FILE', message: /disk is full/ })
  t.strictSame(disk.waiting, [], 'and does not try again')
})

t.test('a diverged run leaves the last good file alone', async (t) => {
  const native = new FakeNative()
  const written: number[] = []
  let value = 1
  const run = fakeRun(native, {
    checkpoint: { path, every: 1 },
    take: async () => snapshotAt(1, value),
    write: async () => {
      if (value === Number.POSITIVE_INFINITY) throw new EspalierError('ERR_ESPALIER_DIVERGED', 'not finite')
      written.push(value)
    },
  })
  native.send(epochEvent(1))
  await settle()
  value = Number.POSITIVE_INFINITY
  native.send(epochEvent(2))
  await settle()
  native.send(endEvent('failed', { code: 'ERR_ESPALIER_DIVERGED', message: 'the loss is NaN' }))
  await t.rejects(run, { code: 'ERR_ESPALIER_DIVERGED' })
  t.strictSame(written, [1], 'the divergence, not the file that was refused, is the reason')
})

t.test('data that the addon refuses on its own thread is told to the network', async (t) => {
  const native = new FakeNative()
  let refused = 0
  const run = fakeRun(native, {
    onRefused: () => {
      refused++
    },
  })
  native.send(endEvent('failed', { code: 'ERR_ESPALIER_DATA', message: 'row 3, column 4 is NaN' }, false))
  await t.rejects(run, { code: 'ERR_ESPALIER_DATA', message: 'row 3, column 4 is NaN' })
  t.equal(refused, 1)
})

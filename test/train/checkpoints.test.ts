import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { EspalierError } from '../../lib/errors.js'
import type { NetworkSnapshot } from '../../lib/model/snapshot.js'
import type { NativeFitSettings } from '../../lib/native/surface.js'
import type { CheckpointPlan } from '../../lib/train/checkpoint-options.js'
import { endEvent, FakeNative, fakeRun, settle, snapshotAt } from './fake-native.js'

/** A disk that finishes a file when it is told to. */
class FakeDisk {
  asked = 0
  #waiting: { name: string; done: () => void; fail: (error: Error) => void }[] = []

  write = (path: string, { counters }: NetworkSnapshot) =>
    new Promise<void>((done, fail) => {
      this.asked++
      this.#waiting.push({ name: `${path} ${counters.epoch}`, done, fail })
    })

  /** The files asked for and not finished, once there is one. */
  async waiting(): Promise<string[]> {
    await until(() => this.#waiting.length > 0)
    return this.#waiting.map(({ name }) => name)
  }

  async finish(error?: Error): Promise<void> {
    await this.waiting()
    const { done, fail } = this.#waiting.shift()!
    if (error === undefined) {
      done()
    } else fail(error)
    await settle()
  }
}

const path = 'model.safetensors'

/** Waits for what comes from the disk. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}

const plan = (rest: Partial<CheckpointPlan> = {}): CheckpointPlan => ({
  path,
  every: { epochs: 1 },
  last: 0,
  best: false,
  ...rest,
})

t.test('what the run lays aside is written, and the end', async (t) => {
  const native = new FakeNative()
  const written: number[] = []
  const run = fakeRun(native, {
    checkpoint: plan(),
    take: async () => snapshotAt(5),
    write: async (_path, { counters }) => {
      written.push(counters.epoch)
    },
  })
  for (const epoch of [2, 4]) {
    native.layAside(snapshotAt(epoch))
    await until(() => written.includes(epoch))
  }
  native.send(endEvent())
  await run
  t.strictSame(written, [2, 4, 5])
  const saved = []
  for await (const event of run) if (event.type === 'checkpoint') saved.push(event)
  t.strictSame(saved[0], { type: 'checkpoint', path, epoch: 2, step: 20, best: false })
  t.equal(saved.length, 3)
})

t.test('the end is not written twice', async (t) => {
  const native = new FakeNative()
  const written: number[] = []
  const run = fakeRun(native, {
    checkpoint: plan(),
    take: async () => snapshotAt(2),
    write: async (_path, { counters }) => {
      written.push(counters.epoch)
    },
  })
  native.layAside(snapshotAt(2))
  native.send(endEvent())
  await run
  t.strictSame(written, [2])
})

t.test('a slow disk writes one file at a time, and the end after them', async (t) => {
  const native = new FakeNative()
  const disk = new FakeDisk()
  const run = fakeRun(native, {
    checkpoint: plan({ best: true }),
    take: async () => snapshotAt(4),
    write: disk.write,
  })
  native.layAside(snapshotAt(1))
  native.layAside(snapshotAt(2), { best: true })
  t.strictSame(await disk.waiting(), [`${path} 1`], 'one file at a time')
  await disk.finish()
  t.strictSame(await disk.waiting(), ['model.best.safetensors 2'])
  let ended = false
  run.then(() => {
    ended = true
  })
  native.send(endEvent('cancelled'))
  await disk.finish()
  t.strictSame(await disk.waiting(), [`${path} 4`], 'the end is saved after it, also of a cancelled run')
  t.equal(ended, false, 'the run is not over before its last file')
  await disk.finish()
  t.equal(ended, true)
})

t.test('a checkpoint that cannot be written stops the run with its reason', async (t) => {
  const native = new FakeNative()
  const disk = new FakeDisk()
  const run = fakeRun(native, { checkpoint: plan(), write: disk.write })
  native.layAside(snapshotAt(1))
  await settle()
  const full = Object.assign(new Error('cannot write model: the disk is full (ENOSPC)'), {
    code: 'ERR_ESPALIER_FILE',
  })
  await disk.finish(full)
  t.equal(native.cancels, 1)
  native.send(endEvent('cancelled'))
  await t.rejects(run, { code: 'ERR_ESPALIER_FILE', message: /disk is full/ })
  t.equal(disk.asked, 1, 'and does not try again')
})

t.test('a diverged run leaves the last good file alone', async (t) => {
  const native = new FakeNative()
  const written: number[] = []
  const run = fakeRun(native, {
    checkpoint: plan(),
    write: async (_path, { counters }) => {
      if (counters.epoch > 1) throw new EspalierError('ERR_ESPALIER_DIVERGED', 'not finite')
      written.push(counters.epoch)
    },
  })
  native.layAside(snapshotAt(1))
  native.layAside(snapshotAt(2))
  native.send(endEvent('failed', { code: 'ERR_ESPALIER_DIVERGED', message: 'the loss is NaN' }))
  await t.rejects(run, { code: 'ERR_ESPALIER_DIVERGED' })
  t.strictSame(written, [1], 'the divergence, not the file that was refused, is the reason')
})

t.test('the last ones and the best are kept', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-'))
  const file = join(folder, path)
  // Of a run that went on from step 30: one file of before it, and one of what it does again.
  writeFileSync(join(folder, 'model.step-20.safetensors'), '2')
  writeFileSync(join(folder, 'model.step-400.safetensors'), '40')
  const native = new FakeNative()
  const run = fakeRun(native, {
    settings: { resume: true } as NativeFitSettings,
    checkpoint: plan({ path: file, last: 2, best: true }),
    take: async () => snapshotAt(5),
    // As the real one does: a new file in the place of the old one.
    write: async (name, { counters }) => {
      rmSync(name, { force: true })
      writeFileSync(name, String(counters.epoch))
    },
  })
  native.layAside(snapshotAt(3))
  native.layAside(snapshotAt(4), { newest: true, best: true })
  native.send(endEvent())
  await run
  const contents = Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
  t.strictSame(contents, {
    'model.safetensors': '5',
    'model.best.safetensors': '4',
    'model.step-40.safetensors': '4',
    'model.step-50.safetensors': '5',
    'model.step-400.safetensors': '40',
  })
})

t.test('a folder that cannot be written to is refused before anything is trained', async (t) => {
  const native = new FakeNative()
  t.throws(() => fakeRun(native, { checkpoint: plan({ path: join(t.testdir(), 'none', path) }) }), {
    code: 'ERR_ESPALIER_FILE',
    message: /cannot write .*: no such file or folder/,
  })
  t.equal(native.fits, 0)
})

t.test('two runs with one path: the second to write is told', async (t) => {
  const file = join(t.testdir(), path)
  const native = new FakeNative()
  const run = fakeRun(native, {
    checkpoint: plan({ path: file }),
    write: async (name, { counters }) => writeFileSync(name, String(counters.epoch)),
  })
  native.layAside(snapshotAt(1))
  await until(() => existsSync(file))
  await settle()
  writeFileSync(`${file}.new`, 'of another run')
  renameSync(`${file}.new`, file)
  native.layAside(snapshotAt(2))
  await settle()
  native.send(endEvent('cancelled'))
  await t.rejects(run, { code: 'ERR_ESPALIER_FILE', message: /was written by somebody else/ })
  t.equal(readFileSync(file, 'utf8'), 'of another run', 'and nothing is lost')
})

t.test('what a killed run left half written is cleared away, but not what is being written', async (t) => {
  const folder = t.testdir()
  const file = join(folder, path)
  const [old, young] = [join(folder, `.${path}.00.tmp`), join(folder, `.${path}.01.tmp`)]
  writeFileSync(old, 'half')
  writeFileSync(young, 'half')
  const longAgo = new Date(Date.now() - 2 * 3_600_000)
  utimesSync(old, longAgo, longAgo)
  const native = new FakeNative()
  const run = fakeRun(native, {
    checkpoint: plan({ path: file }),
    write: async (name) => writeFileSync(name, ''),
  })
  native.send(endEvent())
  await run
  t.strictSame(readdirSync(folder).sort(), [`.${path}.01.tmp`, path])
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

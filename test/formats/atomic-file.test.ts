import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import * as fsPromises from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { writeWhole } from '../../lib/formats/atomic-file.js'

const root = t.testdir()
const old = Buffer.from('the old file')
const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)

/** A folder with an old file in it, and the path of that file. */
function withOldFile(parent = root): { folder: string; file: string } {
  const folder = mkdtempSync(path.join(parent, 'place-'))
  const file = path.join(folder, 'model.safetensors')
  writeFileSync(file, old)
  return { folder, file }
}

/** Nothing but the old file, as it was. */
function isUntouched(t: Test, { folder, file }: { folder: string; file: string }): void {
  t.strictSame(readFileSync(file), old)
  t.strictSame(readdirSync(folder), ['model.safetensors'])
}

function inProcess(code: string, shell = 'exec') {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const command = `${shell} "$0" --input-type=module -e "$1"`
  return spawnSync('bash', ['-c', command, process.execPath, code], { env, encoding: 'utf8' })
}

t.test('a new file replaces the old one, and nothing else is left', async (t) => {
  const place = withOldFile()
  await writeWhole(place.file, async (sink) => {
    t.strictSame(readFileSync(place.file), old, 'the old file is there until the new one is whole')
    await sink.write(Buffer.from('the '))
    await sink.write(Buffer.from('new file'))
  })
  t.equal(readFileSync(place.file, 'utf8'), 'the new file')
  t.strictSame(readdirSync(place.folder), ['model.safetensors'])
})

t.test('an error while writing leaves the old file', async (t) => {
  const place = withOldFile()
  const broken = writeWhole(place.file, async (sink) => {
    await sink.write(Buffer.alloc(100))
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  })
  await t.rejects(broken, {
    code: 'ERR_ESPALIER_FILE',
    message: `cannot write ${place.file}: the disk is full (ENOSPC)`,
  })
  isUntouched(t, place)
})

t.test('a write that the system cuts short is carried on, and refused at the limit', (t) => {
  // ulimit -f counts blocks of 1024 bytes: the kernel takes part of the data and then answers EFBIG.
  const place = withOldFile()
  const ended = inProcess(
    `process.on('SIGXFSZ', () => {}) // whose default is to kill
    import { writeSafetensors } from ${url('../../lib/formats/safetensors.js')}
    const big = { name: 'big', shape: [100000], data: new Float32Array(100000) }
    await writeSafetensors(${JSON.stringify(place.file)}, [big]).catch((error) => console.log(error.code, error.message))`,
    'ulimit -f 100; exec',
  )
  t.match(
    ended.stdout,
    /^ERR_ESPALIER_FILE cannot write .*: the file would be larger than allowed here \(EFBIG\)/,
    ended.stderr,
  )
  isUntouched(t, place)
  t.end()
})

// A small file system of its own, which goes away with the process that sees it.
const own = 'unshare --user --map-root-user --mount'
const noDisk =
  spawnSync('bash', ['-c', `${own} mount -t tmpfs tmpfs "${root}"`]).status === 0
    ? false
    : 'a small file system cannot be mounted here'

t.test('a full disk leaves the old file', { skip: noDisk }, (t) => {
  const ended = inProcess(
    `import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
    import { writeWhole } from ${url('../../lib/formats/atomic-file.js')}
    writeFileSync('model', 'the old file')
    await writeWhole('model', (sink) => sink.write(Buffer.alloc(200_000))).catch((error) => console.log(error.code, error.message))
    console.log(readFileSync('model', 'utf8'), readdirSync('.'))`,
    `cd "${root}" && exec ${own} bash -c 'mount -t tmpfs -o size=64k tmpfs . && cd "$PWD" && exec "$0" "$@"'`,
  )
  t.strictSame(
    ended.stdout.trim().split('\n'),
    ['ERR_ESPALIER_FILE cannot write model: the disk is full (ENOSPC)', "the old file [ 'model' ]"],
    ended.stderr,
  )
  t.end()
})

t.test('each step that can fail leaves the old file', async (t) => {
  for (const step of ['sync', 'close', 'rename', 'open'] as const) {
    const place = withOldFile()
    const refuse = async () => {
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    }
    const mocked = (await t.mockImport('../../lib/formats/atomic-file.js', {
      'node:fs/promises': {
        ...fsPromises,
        ...(step === 'rename' ? { rename: refuse } : {}),
        open: async (...given: Parameters<typeof fsPromises.open>) => {
          if (step === 'open') return refuse()
          const handle = await fsPromises.open(...given)
          if (step === 'sync') handle.sync = refuse
          if (step === 'close') {
            const close = handle.close.bind(handle)
            handle.close = async () => {
              await close()
              handle.close = close
              await refuse()
            }
          }
          return handle
        },
      },
    })) as { writeWhole: typeof writeWhole }
    const writing = mocked.writeWhole(place.file, (sink) => sink.write(Buffer.from('new')))
    await t.rejects(writing, { code: 'ERR_ESPALIER_FILE', message: /input or output error \(EIO\)/ }, step)
    isUntouched(t, place)
  }
})

t.test('a process killed between writing and renaming leaves the old file', (t) => {
  const place = withOldFile()
  const ended = inProcess(`
    import fs from 'node:fs/promises'
    import { syncBuiltinESMExports } from 'node:module'
    fs.rename = () => process.kill(process.pid, 'SIGKILL')
    syncBuiltinESMExports()
    const { writeWhole } = await import(${url('../../lib/formats/atomic-file.js')})
    await writeWhole(${JSON.stringify(place.file)}, (sink) => sink.write(Buffer.from('the new file')))`)
  t.equal(ended.signal, 'SIGKILL', ended.stderr)
  t.strictSame(readFileSync(place.file), old)
  t.equal(readdirSync(place.folder).length, 2, 'the kill came after the new file was written')
  t.end()
})

t.test('a folder that is not there, a folder in the way, a folder that may not be written to', async (t) => {
  const { folder } = withOldFile()
  const nothing = async () => {}
  const absent = path.join(folder, 'absent', 'model')
  const message = `cannot write ${absent}: no such file or folder (ENOENT)`
  await t.rejects(writeWhole(absent, nothing), { code: 'ERR_ESPALIER_FILE', message })
  const taken = path.join(folder, 'taken')
  mkdirSync(taken)
  await t.rejects(writeWhole(taken, nothing), { code: 'ERR_ESPALIER_FILE', message: /it is a folder/ })
  t.ok(existsSync(taken))
  if (process.getuid?.() !== 0) {
    chmodSync(taken, 0o500)
    const refused = writeWhole(path.join(taken, 'model'), nothing)
    await t.rejects(refused, { code: 'ERR_ESPALIER_FILE', message: /permission denied/ })
  }
})

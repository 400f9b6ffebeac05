import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  collect,
  eventsOf,
  folderFor,
  idOf,
  isOver,
  jobWhen,
  post,
  quick,
  startService,
  table,
  upload,
} from './support.js'

const main = fileURLToPath(new URL('../main.js', import.meta.url))

/**
 * The service in a process of its own.
 *
 * @param {string} limit a command of the shell that limits it, by default none
 */
async function spawnService(t, environment, limit = ':') {
  const child = spawn('bash', ['-c', `${limit}; exec "$0" "$1"`, process.execPath, main], {
    env: {
      ...process.env,
      TRAINING_PORT: '0',
      TRAINING_RUNNING: '1',
      TRAINING_CHECKPOINT_SECONDS: '0.1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let printed = ''
  const url = await new Promise((resolve, reject) => {
    const look = (text) => {
      printed += text
      const found = /listening at (http:\S+?)"/.exec(printed)
      if (found !== null) resolve(found[1])
    }
    child.stdout.setEncoding('utf8').on('data', look)
    child.stderr.setEncoding('utf8').on('data', look)
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${printed}`)))
  })
  const end = async (signal) => {
    child.kill(signal)
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
    return code
  }
  return { url, end }
}

/** Takes a second or so: long enough to be killed in the middle. */
const long = { dataset: 'digits', hidden: [256], epochs: 60, seed: 3 }

for (const signal of ['SIGKILL', 'SIGTERM']) {
  test(`after ${signal} the service goes on with its jobs, and they end as if nothing had happened`, async (t) => {
    const TRAINING_FOLDER = await folderFor(t)
    const { url: undisturbed } = await startService(t)
    const expected = await jobWhen(undisturbed, await idOf(await post(`${undisturbed}/jobs`, long)), isOver)

    const first = await spawnService(t, { TRAINING_FOLDER })
    const done = await idOf(await upload(first.url, table(), quick))
    await jobWhen(first.url, done, isOver)
    const running = await idOf(await post(`${first.url}/jobs`, long))
    const waiting = await idOf(await upload(first.url, table(), quick))
    for await (const { type } of eventsOf(await fetch(`${first.url}/jobs/${running}/events`))) {
      if (type === 'checkpoint') break
    }
    const code = await first.end(signal)
    if (signal === 'SIGTERM') assert.equal(code, 0)

    const second = await spawnService(t, { TRAINING_FOLDER })
    assert.equal((await jobWhen(second.url, done, isOver)).state, 'finished')
    assert.equal((await jobWhen(second.url, waiting, isOver)).state, 'finished')
    const job = await jobWhen(second.url, running, isOver)
    assert.deepEqual([job.state, job.progress], ['finished', { epochs: 60, steps: 60 * 79 }])
    assert.deepEqual(job.metrics, expected.metrics, 'the same to the last bit')

    const events = await collect(eventsOf(await fetch(`${second.url}/jobs/${running}/events`)))
    const starts = events.filter(({ type }) => type === 'start')
    assert.equal(starts.length, 2)
    assert.ok(starts[1].data.steps > 0, 'it went on from a checkpoint')
    const ids = events.filter(({ id }) => id !== 'end').map(({ id }) => Number(id))
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    )
    assert.equal(await second.end('SIGTERM'), 0)
  })
}

test('what a killed process left half done is cleared away or repaired', async (t) => {
  const TRAINING_FOLDER = await folderFor(t)
  const first = await startService(t, { TRAINING_FOLDER })
  const id = await idOf(await upload(first.url, table(), quick))
  const { dataset, ...job } = await jobWhen(first.url, id, isOver)
  await first.app.close()

  // As it would be found had it been killed while it wrote an event of a run that was all but over.
  const record = path.join(TRAINING_FOLDER, id, 'job.json')
  const saved = JSON.parse(await readFile(record, 'utf8'))
  await writeFile(record, JSON.stringify({ ...saved, state: 'running', ended: undefined }))
  await writeFile(path.join(TRAINING_FOLDER, id, 'data.csv'), table())
  await appendFile(path.join(TRAINING_FOLDER, id, 'events'), 'id: 999\nevent: epo')
  await writeFile(path.join(TRAINING_FOLDER, id, '.model.safetensors.0123.tmp'), 'half')
  const empty = path.join(TRAINING_FOLDER, crypto.randomUUID())
  const damaged = crypto.randomUUID()
  await mkdir(empty)
  await mkdir(path.join(TRAINING_FOLDER, damaged))
  await writeFile(path.join(TRAINING_FOLDER, damaged, 'job.json'), '{"id":')

  const second = await startService(t, { TRAINING_FOLDER })
  assert.deepEqual(
    (await readdir(TRAINING_FOLDER)).sort(),
    [damaged, id, 'lock'].sort(),
    'a job may be in it',
  )
  assert.equal((await fetch(`${second.url}/jobs/${damaged}`)).status, 404)
  const again = await jobWhen(second.url, id, isOver)
  const left = ['data.json', 'events', 'job.json', 'model.safetensors']
  assert.deepEqual((await readdir(path.join(TRAINING_FOLDER, id))).sort(), left)
  assert.deepEqual([again.state, again.progress], [job.state, job.progress])
  const events = await collect(eventsOf(await fetch(`${second.url}/jobs/${id}/events`)))
  assert.ok(events.every(({ id }) => id !== '999'))
  assert.deepEqual(dataset, again.dataset)
})

test('a job that the service dies of again and again is given up', async (t) => {
  const TRAINING_FOLDER = await folderFor(t)
  const first = await startService(t, { TRAINING_FOLDER })
  const id = await idOf(await upload(first.url, table(), quick))
  await jobWhen(first.url, id, isOver)
  await first.app.close()
  const record = path.join(TRAINING_FOLDER, id, 'job.json')
  const saved = JSON.parse(await readFile(record, 'utf8'))
  await writeFile(record, JSON.stringify({ ...saved, state: 'running', attempts: 3 }))
  const second = await startService(t, { TRAINING_FOLDER })
  const job = await jobWhen(second.url, id, isOver)
  assert.deepEqual([job.state, job.error.code], ['failed', 'ERR_ATTEMPTS'])
})

test('a full disk fails what needs it, and nothing else', async (t) => {
  const TRAINING_FOLDER = await folderFor(t)
  // No file above 64 KiB: the kernel refuses the rest as it does when a disk is full.
  const { url } = await spawnService(t, { TRAINING_FOLDER }, 'ulimit -f 64')
  const response = await upload(url, table(10_000), quick)
  assert.equal(response.status, 500)
  const { code } = await response.json()
  assert.equal(code, 'ERR_INTERNAL')
  const large = await idOf(
    await post(`${url}/jobs`, { dataset: 'digits', hidden: [1024], epochs: 2, sparsity: 0.5 }),
  )
  const job = await jobWhen(url, large, isOver)
  assert.equal(job.state, 'failed')
  assert.match(job.error.message, /cannot write .*larger than allowed/)
  const small = await idOf(await upload(url, table(), quick))
  assert.equal((await jobWhen(url, small, isOver)).state, 'finished')
  const left = await readdir(TRAINING_FOLDER, { recursive: true })
  assert.deepEqual(
    left.filter((name) => name.endsWith('.tmp')),
    [],
    'nothing half-written is left',
  )
})

test('two services do not share a folder', async (t) => {
  const TRAINING_FOLDER = await folderFor(t)
  const first = await startService(t, { TRAINING_FOLDER })
  await assert.rejects(startService(t, { TRAINING_FOLDER }), /another service uses the folder/)
  await first.app.close()
  await startService(t, { TRAINING_FOLDER })
})

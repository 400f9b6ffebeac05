import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import test from 'node:test'
import { EventLog } from '../events.js'
import { collect, eventsOf, folderFor } from './support.js'

const never = new AbortController().signal
const quiet = { error() {} }

/** What a reader gives, as events. */
const parse = (reader) =>
  collect(eventsOf(new Response(Readable.toWeb(Readable.from(reader, { objectMode: false })))))

test('a reader that is late or slow gets every event in order, and of progress the latest', async (t) => {
  const log = new EventLog(path.join(await folderFor(t), 'events'), quiet)
  const slow = log.read(undefined, never)
  const first = slow.next()
  for (let i = 0; i < 5000; i++) {
    log.append('epoch', { i })
    log.progress({ i })
  }
  await first
  const late = log.read(undefined, never)
  let text = ''
  const readUntil = async (what) => {
    while (!text.includes(what)) text += (await late.next()).value
  }
  await readUntil('event: epoch\ndata: {"i":4999}\n\n')
  await readUntil('event: progress')
  log.progress({ i: 'one more' })
  await readUntil('one more')
  await log.end()
  assert.equal((await late.next()).done, true)
  const events = await parse([text])
  const kept = events.filter(({ type }) => type === 'epoch')
  assert.deepEqual(
    kept.map(({ data }) => data.i),
    Array.from({ length: 5000 }, (_, i) => i),
  )
  const told = events.filter(({ type }) => type === 'progress').map(({ data }) => data.i)
  assert.ok(told.length <= 2, `${told.length} of 5001`)
  assert.equal(told.at(-1), 'one more')
  const rest = await parse(slow)
  assert.deepEqual(rest.at(-1).data, { i: 4999 })

  const next = await parse(log.read(kept[4000].id, never))
  assert.deepEqual(next[0].data, { i: 4001 })
})

test('a reader that waits is woken by what happens, by silence, and by its own end', async (t) => {
  const log = new EventLog(path.join(await folderFor(t), 'events'), quiet)
  const gone = new AbortController()
  const reader = log.read(undefined, gone.signal, 20)
  assert.match(String((await reader.next()).value), /^: /)
  const waiting = reader.next()
  log.append('epoch', { i: 0 })
  assert.match(String((await waiting).value), /^id: 0\nevent: epoch\n/)
  const patient = log.read(undefined, gone.signal, 1e6)
  await patient.next()
  const last = patient.next()
  gone.abort()
  assert.deepEqual(await last, { done: true, value: undefined })
})

test('an event that was cut off is cut away; a disk that refuses ends the events and nothing else', async (t) => {
  const folder = await folderFor(t)
  const file = path.join(folder, 'events')
  const whole = 'id: 0\nevent: epoch\ndata: {"i":0}\n\n'
  await writeFile(file, `${whole}id: 36\nevent: ep`)
  const log = new EventLog(file, quiet)
  await log.open()
  log.append('epoch', { i: 1 })
  await log.end()
  assert.equal(await readFile(file, 'utf8'), `${whole}id: ${whole.length}\nevent: epoch\ndata: {"i":1}\n\n`)

  const errors = []
  const refused = new EventLog(path.join(folder, 'none', 'events'), {
    error: (error) => errors.push(error.code),
  })
  refused.append('epoch', { i: 0 })
  refused.append('epoch', { i: 1 })
  await refused.end()
  assert.deepEqual(errors, ['ENOENT'])
  assert.deepEqual(await parse(refused.read(undefined, never)), [])
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeService } from '../service.js'
import { readSettings } from '../settings.js'

/** A folder that is gone after the test. */
export async function folderFor(t) {
  const folder = await mkdtemp(path.join(tmpdir(), 'training-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/**
 * A service in this process, which listens on a port of its own and is closed after the test.
 *
 * @param {Record<string, string>} environment
 */
export async function startService(t, environment = {}) {
  const folder = environment.TRAINING_FOLDER ?? (await folderFor(t))
  const settings = readSettings({
    TRAINING_FOLDER: folder,
    TRAINING_LOG: 'silent',
    TRAINING_PORT: '0',
    TRAINING_RUNNING: '1',
    ...environment,
  })
  const app = await makeService(settings)
  t.after(() => app.close())
  const url = await app.listen({ host: settings.host, port: settings.port })
  return { app, folder, url }
}

/** A table of three classes that a line of arithmetic tells apart. */
export function table(rows = 90) {
  const lines = Array.from(
    { length: rows },
    (_, i) => `${i % 7},${(i * i) % 11},${(i % 3) * 2},kind ${i % 3}`,
  )
  return ['left,middle,right,kind', ...lines, ''].join('\n')
}

/** Settings of a job that takes a moment. */
export const quick = { hidden: [16], sparsity: 0.5, epochs: 3, batchSize: 16 }
/** Settings of a job that goes on until it is stopped: so small a batch diverges at the default rate. */
export const endless = { hidden: [1024, 1024], epochs: 1000, batchSize: 8, learningRate: 0.005 }

/** Posts a table as a form. */
export function upload(url, data, settings, fileName = 'table.csv') {
  const form = new FormData()
  form.set('settings', JSON.stringify(settings))
  form.set('data', new Blob([data]), fileName)
  return fetch(`${url}/jobs`, { method: 'POST', body: form })
}

/** Posts something as JSON. */
export function post(url, body, headers = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** The id of a job that was accepted. */
export async function idOf(response) {
  const body = await response.json()
  if (response.status !== 202) throw new Error(`${response.status} ${JSON.stringify(body)}`)
  return body.id
}

/** Asks for a job until it is as it should be. */
export async function jobWhen(url, id, isRight) {
  for (;;) {
    const job = await (await fetch(`${url}/jobs/${id}`)).json()
    if (isRight(job)) return job
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export const isOver = ({ state }) => ['finished', 'cancelled', 'failed'].includes(state)

/**
 * The events of a stream, one after the other: { id, type, data }.
 *
 * @param {Response} response
 */
export async function* eventsOf(response) {
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      text = text.slice(end + 2)
      if (fields.event) yield { id: fields.id, type: fields.event, data: JSON.parse(fields.data) }
    }
  }
}

/** Everything that an asynchronous iterable gives. */
export async function collect(iterable) {
  const all = []
  for await (const one of iterable) all.push(one)
  return all
}

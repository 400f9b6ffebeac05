import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'node:test'
import {
  collect,
  endless,
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

test('an uploaded table is trained on, followed, taken away and asked', async (t) => {
  const { url, folder } = await startService(t)
  const response = await upload(url, table(), { ...quick, epochs: 20 })
  assert.equal(response.status, 202)
  const accepted = await response.clone().json()
  assert.match(accepted.state, /queued|running/)
  assert.deepEqual(accepted.dataset, {
    name: 'uploaded',
    samples: 72,
    testSamples: 18,
    features: 3,
    classes: 3,
  })
  const id = await idOf(response)
  assert.equal(response.headers.get('location'), `/jobs/${id}`)

  const job = await jobWhen(url, id, isOver)
  assert.equal(job.state, 'finished')
  assert.equal(job.reason, 'finished')
  assert.deepEqual(job.progress, { epochs: 20, steps: 100 })
  assert.ok(job.metrics.validation.accuracy > 0.9, `accuracy ${job.metrics.validation.accuracy}`)
  assert.ok(!('bytes' in job) && !('source' in job), 'what is ours stays with us')

  const model = await fetch(`${url}/jobs/${id}/model`)
  assert.match(model.headers.get('content-disposition'), new RegExp(`${id}\\.safetensors`))
  assert.equal((await model.arrayBuffer()).byteLength, Number(model.headers.get('content-length')))

  const rows = [
    [0, 0, 0],
    [0, 0, 2],
    [0, 0, 4],
  ]
  const asked = await (await post(`${url}/jobs/${id}/predict`, { rows })).json()
  assert.deepEqual(
    asked.predictions.map((prediction) => prediction.class),
    ['kind 0', 'kind 1', 'kind 2'],
  )
  assert.equal(asked.predictions[0].probabilities.length, 3)
  const csv = ['left,middle,right', ...rows.map((row) => row.join(','))].join('\n')
  const asTable = await post(`${url}/jobs/${id}/predict`, csv, { 'content-type': 'text/csv' })
  assert.deepEqual(await asTable.json(), asked)
  assert.ok(!(await readdir(path.join(folder, id))).some((name) => name.endsWith('.csv')), 'no table is left')

  const list = await (await fetch(`${url}/jobs?state=finished`)).json()
  assert.deepEqual([list.total, list.jobs[0].id], [1, id])
})

test('data sets have names; what is not one of them is refused', async (t) => {
  const data = await folderFor(t)
  await writeFile(path.join(data, 'small.csv'), table())
  await mkdir(path.join(data, 'folder.csv'))
  await writeFile(path.join(data, '.hidden.csv'), table())
  const { url } = await startService(t, { TRAINING_DATA_FOLDER: data })
  assert.deepEqual(await (await fetch(`${url}/datasets`)).json(), {
    datasets: ['digits', 'madelon', 'small.csv'],
  })

  const id = await idOf(await post(`${url}/jobs`, { ...quick, dataset: 'small.csv' }))
  assert.equal((await jobWhen(url, id, isOver)).state, 'finished')
  for (const dataset of [
    'none',
    'folder.csv',
    '.hidden.csv',
    '../small.csv',
    '/etc/passwd',
    'small.csv\0',
    '..',
  ]) {
    const response = await post(`${url}/jobs`, { ...quick, dataset })
    assert.equal(response.status, 400, dataset)
  }
})

test('drawn digits are learnt', async (t) => {
  const { url } = await startService(t)
  const id = await idOf(await post(`${url}/jobs`, { dataset: 'digits', hidden: [64], epochs: 2 }))
  const job = await jobWhen(url, id, isOver)
  assert.ok(job.metrics.validation.accuracy > 0.8, `accuracy ${job.metrics.validation.accuracy}`)
  const wrong = await post(`${url}/jobs/${id}/predict`, { rows: [[1, 2]] })
  assert.equal(wrong.status, 400)
  assert.match((await wrong.json()).message, /row 0 .*2 numbers.*784 inputs/)
  const right = await post(`${url}/jobs/${id}/predict`, { rows: [new Array(784).fill(0)] })
  assert.match((await right.json()).predictions[0].class, /^\d$/)
})

test('regression: predictions are numbers', async (t) => {
  const { url } = await startService(t)
  const rows = Array.from({ length: 60 }, (_, i) => `${i % 5},${i % 7},${(i % 5) + 2 * (i % 7)}`)
  const settings = { ...quick, task: 'regression', optimizer: 'adam' }
  const id = await idOf(await upload(url, ['a,b,y', ...rows].join('\n'), settings))
  const job = await jobWhen(url, id, isOver)
  assert.deepEqual([job.state, job.metrics.validation.accuracy], ['finished', null])
  const { predictions } = await (await post(`${url}/jobs/${id}/predict`, { rows: [[1, 2]] })).json()
  assert.equal(typeof predictions[0].values[0], 'number')
})

test('running and waiting jobs are cancelled; what was learnt is kept', async (t) => {
  const { url } = await startService(t)
  const running = await idOf(await post(`${url}/jobs`, { ...endless, dataset: 'digits' }))
  await jobWhen(url, running, ({ state }) => state === 'running')
  const waiting = await idOf(await post(`${url}/jobs`, { ...endless, dataset: 'digits' }))
  for (const suffix of ['/model', '/predict']) {
    const method = suffix === '/model' ? 'GET' : 'POST'
    const body = method === 'POST' ? '{"rows":[[1]]}' : undefined
    const early = await fetch(`${url}/jobs/${running}${suffix}`, {
      method,
      body,
      headers: body && { 'content-type': 'application/json' },
    })
    assert.equal(early.status, 409, suffix)
  }
  for (const id of [waiting, running]) {
    const response = await fetch(`${url}/jobs/${id}`, { method: 'DELETE' })
    assert.equal((await response.json()).state, 'cancelled')
  }
  const model = await fetch(`${url}/jobs/${waiting}/model`)
  assert.equal(model.status, 409, 'one that never ran has no model')
  const again = await (await fetch(`${url}/jobs/${running}`, { method: 'DELETE' })).json()
  assert.equal(again.state, 'cancelled', 'cancelling once more does no harm')
})

test('so many jobs at once as are allowed, and no more than memory is for', async (t) => {
  const running = async (url) => (await (await fetch(`${url}/health`)).json()).running
  for (const [megabytes, at] of [
    ['1024', 2],
    // Two of these need more than three quarters of it.
    ['16', 1],
  ]) {
    const { url } = await startService(t, { TRAINING_RUNNING: '2', TRAINING_NATIVE_MB: megabytes })
    const ids = []
    for (let i = 0; i < 3; i++) {
      ids.push(
        await idOf(await post(`${url}/jobs`, { ...endless, dataset: 'digits', hidden: [1024], seed: i })),
      )
    }
    await jobWhen(url, ids[at - 1], ({ progress }) => progress.epochs > 0)
    assert.equal(await running(url), at, `${megabytes} MiB`)
    for (const id of ids.reverse()) await fetch(`${url}/jobs/${id}`, { method: 'DELETE' })
  }
})

test('a job ends with what it has learnt when its time is up', async (t) => {
  const { url } = await startService(t)
  const id = await idOf(await post(`${url}/jobs`, { ...endless, dataset: 'digits', maxSeconds: 0.3 }))
  const job = await jobWhen(url, id, isOver)
  assert.deepEqual([job.state, job.reason, job.error], ['finished', 'maxSeconds', undefined])
  assert.equal((await fetch(`${url}/jobs/${id}/model`)).status, 200)
})

test('jobs that are over are dropped, the oldest first', async (t) => {
  const { url, folder } = await startService(t, { TRAINING_KEEP_JOBS: '2' })
  const ids = []
  for (let i = 0; i < 4; i++) {
    ids.push(await idOf(await upload(url, table(), quick)))
    await jobWhen(url, ids[i], isOver)
  }
  await jobGone(url, ids[1])
  const { jobs } = await (await fetch(`${url}/jobs`)).json()
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [ids[3], ids[2]],
  )
  assert.deepEqual((await readdir(folder)).filter((name) => name !== 'lock').sort(), [ids[2], ids[3]].sort())
})

async function jobGone(url, id) {
  while ((await fetch(`${url}/jobs/${id}`)).status !== 404)
    await new Promise((resolve) => setTimeout(resolve, 10))
}

test('events: from the first to the end, from where a client was, and only what is left', async (t) => {
  const { url } = await startService(t)
  const id = await idOf(await upload(url, table(), quick))
  const all = await collect(eventsOf(await fetch(`${url}/jobs/${id}/events`)))
  const types = all.filter(({ type }) => type !== 'progress').map(({ type }) => type)
  assert.equal(types[0], 'start')
  assert.equal(types.at(-1), 'end')
  assert.equal(types.filter((type) => type === 'epoch').length, 3)
  assert.ok(types.includes('checkpoint'))
  assert.equal(all.at(-1).data.state, 'finished')

  const kept = all.filter(({ id }) => id !== undefined)
  const from = (lastId) => fetch(`${url}/jobs/${id}/events`, { headers: { 'last-event-id': lastId } })
  const rest = await collect(eventsOf(await from(kept[1].id)))
  assert.deepEqual(rest, kept.slice(2))
  for (const strange of ['7', '-1', 'x', '999999999999', '0x10']) {
    assert.deepEqual(await collect(eventsOf(await from(strange))), kept, `Last-Event-ID ${strange}`)
  }
  assert.equal((await from('end')).status, 204)
})

test('clients that vanish or do not read cost nothing; there may be only so many', async (t) => {
  const { app, url } = await startService(t, { TRAINING_STREAMS: '2' })
  const id = await idOf(await post(`${url}/jobs`, { ...endless, dataset: 'digits' }))
  const clients = [new AbortController(), new AbortController()]
  for (const { signal } of clients) {
    const response = await fetch(`${url}/jobs/${id}/events`, { signal })
    assert.equal(response.status, 200)
  }
  assert.equal((await fetch(`${url}/jobs/${id}/events`)).status, 429)
  for (const client of clients) client.abort()
  let response
  do response = await fetch(`${url}/jobs/${id}/events`)
  while (response.status === 429)
  assert.equal(response.status, 200, 'their places are free again')
  const reading = collect(eventsOf(response)).catch(() => 'cut off')
  await fetch(`${url}/jobs/${id}`, { method: 'DELETE' })
  assert.equal((await reading).at(-1).data.state, 'cancelled')
  assert.equal(app.server.listening, true)
})

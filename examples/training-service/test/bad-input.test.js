import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { DataSets } from '../data.js'
import {
  endless,
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

const messageOf = async (response) => (await response.json()).message

test('settings that cannot be met are named, and nothing is left of them', async (t) => {
  const { url, folder } = await startService(t, { TRAINING_MAX_SECONDS: '60', TRAINING_NATIVE_MB: '64' })
  const cases = [
    [{ epoch: 3 }, /there is no option "epoch"/],
    [{ epochs: 0 }, /"epochs".*>= 1/],
    [{ epochs: '3' }, /"epochs".*integer/],
    [{ sparsity: 1 }, /"sparsity".*<= 0.999/],
    [{ hidden: [] }, /"hidden".*fewer than 1/],
    [{ hidden: [16, 1e9] }, /"hidden.1".*<= 16384/],
    [{ rewire: 'rigel' }, /"rewire".*static, set, rigl/],
    [{ learningRate: 0 }, /"learningRate".*> 0/],
    [{ maxSeconds: 61 }, /"maxSeconds".*<= 60/],
    [{ hidden: [16384, 16384], sparsity: 0 }, /needs about \d+ MiB; allowed: 48 MiB/],
    ['{"epochs": 3', /JSON/],
    ['[]', /must be object/],
    ['null', /must be object/],
  ]
  for (const [settings, message] of cases) {
    const body = typeof settings === 'string' ? settings : { dataset: 'digits', ...settings }
    const response = await post(`${url}/jobs`, body)
    assert.equal(response.status, 400, JSON.stringify(settings))
    assert.match(await messageOf(response), message)
    if (typeof settings === 'string') continue
    const inForm = await upload(url, table(), settings)
    assert.equal(inForm.status, 400, `in a form: ${JSON.stringify(settings)}`)
    if (!settings.hidden || settings.hidden.length === 0) assert.match(await messageOf(inForm), message)
  }
  assert.match(await messageOf(await post(`${url}/jobs`, {})), /dataset/)
  const number = await post(`${url}/jobs`, { dataset: 'digits', task: 'regression' })
  assert.match(await messageOf(number), /"task" mean nothing for digits/)
  const other = await post(`${url}/jobs`, 'x', { 'content-type': 'text/plain' })
  assert.equal(other.status, 415)
  assert.deepEqual(await readdir(folder), ['lock'])
})

test('data that cannot be used is refused with the place where it is wrong', async (t) => {
  const { url, folder } = await startService(t, { TRAINING_UPLOAD_MB: '0.1', TRAINING_DATA_MB: '0.2' })
  const texts = ['t,y', ...Array.from({ length: 2000 }, (_, i) => `t${i % 250},${i % 2}`)].join('\n')
  const cases = [
    ['', 400, /empty/],
    ['a,b,y\n1,2,0\n1,oops,1\n', 400, /the uploaded file: line 3, column 2.*"oops"/],
    ['a,b,y\n1,2\n', 400, /line 2.*fields/],
    ['a,b,y\n1,2,0\n1,,1\n', 400, /missing value/],
    ['a,y\n1,0\n2,0\n3,0\n4,0\n5,0\n', 400, /labels are alike/],
    ['a,y\n1,0\n', 400, /cannot be divided/],
    [Buffer.from([1, 0, 2]), 400, /zero byte/],
    [gzipSync(table()), 400, /packed by gzip/],
    [texts, 400, /reading it takes \d+ bytes of memory or more/],
    ['1,2\n'.repeat(50_000), 413, /larger than 0.1 MiB/],
    ['1,2\n'.repeat(5_000_000), 413, /larger than 0.1 MiB/],
  ]
  for (const [data, status, message] of cases) {
    const response = await upload(url, data, quick)
    const text = await messageOf(response)
    assert.equal(response.status, status, text)
    assert.match(text, message)
    assert.ok(!text.includes(folder), `no path of ours: ${text}`)
  }
  const label = await upload(url, table(), { ...quick, label: 'kimd' })
  assert.match(await messageOf(label), /no column "kimd".*"kind"/)
  assert.deepEqual(await readdir(folder), ['lock'])
  const id = await idOf(await upload(url, table(), quick))
  assert.equal((await jobWhen(url, id, isOver)).state, 'finished', 'it still works')
})

test('a data set that takes too long to read is given up, and the next one is read', async (t) => {
  const folder = await folderFor(t)
  const file = path.join(folder, 'large.csv')
  await writeFile(file, table(400_000))
  const hasty = new DataSets('', 2 ** 30, 5)
  const message = /reading the data set took more than 0.005 seconds/
  await assert.rejects(hasty.uploaded(file, {}), { statusCode: 400, message })
  await assert.rejects(hasty.uploaded(file, {}), { statusCode: 400, message })
  const patient = new DataSets('', 2 ** 30)
  t.after(() => patient.close())
  assert.equal((await patient.uploaded(file, {})).train.features, 3)
})

test('forms with too much, too little or the wrong thing in them', async (t) => {
  const { url, folder } = await startService(t)
  const send = async (fill, status, message) => {
    const form = new FormData()
    fill(form)
    const response = await fetch(`${url}/jobs`, { method: 'POST', body: form })
    const text = await messageOf(response)
    assert.equal(response.status, status, text)
    assert.match(text, message)
  }
  const data = new Blob([table()])
  const settings = JSON.stringify(quick)
  await send((form) => form.set('settings', settings), 400, /no file "data"/)
  await send((form) => form.set('settings', '{'), 400, /settings are not JSON/)
  const number = (form) => {
    form.set('data', data)
    form.set('settings', '7')
  }
  await send(number, 400, /must be object/)
  await send((form) => form.set('other', settings), 400, /"other" is not expected/)
  await send((form) => form.set('settings', `"${'x'.repeat(20_000)}"`), 400, /too long/)
  await send((form) => form.set('settings', new Blob(['{}']), 'settings'), 400, /"settings" is not expected/)
  const two = (form) => {
    form.append('data', data, 'a.csv')
    form.append('data', data, 'b.csv')
  }
  await send(two, 413, /limit/)
  const long = (form) => {
    form.append('wrong', 'x')
    form.append('data', new Blob(['1,2,3\n'.repeat(2_000_000)]), 'a.csv')
  }
  await send(long, 400, /"wrong" is not expected/)
  const both = (form) => {
    form.set('settings', JSON.stringify({ ...quick, dataset: 'digits' }))
    form.set('data', data, 'a.csv')
  }
  await send(both, 400, /one of them/)
  assert.deepEqual(await readdir(folder), ['lock'])
})

test('names of files and ids lead nowhere', async (t) => {
  const { url, folder } = await startService(t)
  const outside = path.join(folder, '..', 'outside.csv')
  for (const name of ['../outside.csv', '/etc/passwd', 'job.json', 'model.safetensors', '..\\x', 'a\0b']) {
    const id = await idOf(await upload(url, table(), quick, name))
    const job = await jobWhen(url, id, isOver)
    assert.equal(job.state, 'finished', name)
    assert.ok(!JSON.stringify(job).includes('passwd'))
    assert.deepEqual((await readdir(path.join(folder, id))).sort(), [
      'data.json',
      'events',
      'job.json',
      'model.safetensors',
    ])
  }
  await assert.rejects(readdir(outside))
  await mkdir(path.join(folder, 'secret'))
  await writeFile(path.join(folder, 'secret', 'job.json'), '{"id":"secret","state":"finished"}')
  const id = '00000000-0000-4000-8000-000000000000'
  for (const strange of [
    'secret',
    '..',
    '%2e%2e',
    '..%2f..%2fetc',
    id.toUpperCase().replace('8000', 'A000'),
    `${id}%00`,
    `${id}/..`,
  ]) {
    for (const suffix of ['', '/model', '/events']) {
      const { status } = await raw(url, `/jobs/${strange}${suffix}`)
      assert.ok(status === 400 || status === 404, `${strange}${suffix}: ${status}`)
    }
  }
  assert.equal((await fetch(`${url}/jobs/${id}`)).status, 404)
})

/** A request whose path is sent as it is. */
async function raw(url, path) {
  const { hostname, port } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += chunk
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)[1]) }
}

test('a queue that is full answers 429, and takes jobs again when there is room', async (t) => {
  const { url, folder } = await startService(t, { TRAINING_QUEUE: '2' })
  const ids = []
  for (let i = 0; i < 3; i++) {
    ids.push(await idOf(await post(`${url}/jobs`, { ...endless, dataset: 'digits' })))
    if (i === 0) await jobWhen(url, ids[0], ({ state }) => state === 'running')
  }
  const refused = await Promise.all([upload(url, table(), quick), post(`${url}/jobs`, { dataset: 'digits' })])
  for (const response of refused) {
    assert.equal(response.status, 429)
    assert.ok(response.headers.get('retry-after'))
    assert.match(await messageOf(response), /2 jobs are waiting/)
  }
  assert.equal((await readdir(folder)).length, 1 + 3)
  const large = await upload(url, '1,2\n'.repeat(2_000_000), quick)
  assert.equal(large.status, 429)
  await fetch(`${url}/jobs/${ids[1]}`, { method: 'DELETE' })
  assert.equal((await upload(url, table(), quick)).status, 202)
})

test('a client that vanishes in the middle of its upload leaves nothing', async (t) => {
  const { app, url, folder } = await startService(t, { TRAINING_QUEUE: '1' })
  const { hostname, port } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  await once(socket, 'connect')
  const begin = '--x\r\ncontent-disposition: form-data; name="data"; filename="a"\r\n\r\n1,2,3\n'
  socket.write(
    `POST /jobs HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-length: 100000\r\n` +
      `content-type: multipart/form-data; boundary=x\r\n\r\n${begin}`,
  )
  while ((await readdir(folder)).length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  socket.destroy()
  while ((await readdir(folder)).length > 1) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal((await upload(url, table(), quick)).status, 202, 'its place in the queue is free again')
  assert.equal(app.server.listening, true)
})

test('predictions: rows that do not fit', async (t) => {
  const { url } = await startService(t)
  const id = await idOf(await upload(url, table(), quick))
  await jobWhen(url, id, isOver)
  const ask = (body, headers) => post(`${url}/jobs/${id}/predict`, body, headers)
  const csv = { 'content-type': 'text/csv' }
  const cases = [
    [{ rows: [] }, 400, /fewer than 1/],
    [{ rows: [[1, 2, 3], [1]] }, 400, /row 1 .*1 numbers.*3 inputs/],
    [{ rows: [['1', 2, 3]] }, 400, /number/],
    ['{"rows":[[1e39,2,3]]}', 400, /finite/],
    ['{"rows":[[1,2,null]]}', 400, /number/],
    [{ rows: new Array(10_001).fill([1, 2, 3]) }, 400, /more than 10000/],
    [`{"rows":[[${'1,'.repeat(600_000)}1]]}`, 413, /large/],
    ['left,middle,right\n1,2\n', 400, /the body: line 2/, csv],
    ['left,middle,wrong\n1,2,3\n', 400, /column 2 is "wrong", not "right"/, csv],
    ['1,2,3\n', 400, /column 0 is "0", not "left"/, csv],
    [gzipSync('1,2,3'), 400, /packed/, csv],
  ]
  for (const [body, status, message, headers] of cases) {
    const sent = Buffer.isBuffer(body) ? { method: 'POST', body, headers } : null
    const response = await (sent ? fetch(`${url}/jobs/${id}/predict`, sent) : ask(body, headers))
    const text = await messageOf(response)
    assert.equal(response.status, status, text)
    assert.match(text, message)
  }
})

import assert from 'node:assert/strict'
import http from 'node:http'
import test from 'node:test'
import { readSettings } from '../settings.js'
import { post, startService } from './support.js'

const token = 'a-token-of-good-length'

test('with a token, everything but /health needs it', async (t) => {
  const { url } = await startService(t, { TRAINING_TOKEN: token })
  const status = async (path, authorization) =>
    (await fetch(url + path, { headers: authorization ? { authorization } : {} })).status
  assert.equal(await status('/health'), 200)
  for (const path of ['/jobs', '/datasets', '/metrics', '/openapi.json', `/jobs/${crypto.randomUUID()}`]) {
    assert.equal(await status(path), 401, path)
    assert.equal(await status(path, `Bearer ${token}x`), 401, path)
    assert.equal(await status(path, `Bearer ${token.slice(0, -1)}x`), 401, path)
    assert.equal(await status(path, `Basic ${token}`), 401, path)
    assert.notEqual(await status(path, `Bearer ${token}`), 401, path)
  }
  assert.equal((await post(`${url}/jobs`, { dataset: 'digits' })).status, 401)
})

test('without a token, web pages of others are not answered', async (t) => {
  const { url } = await startService(t)
  const { port } = new URL(url)
  const ask = (headers) =>
    new Promise((resolve, reject) => {
      http
        .get(`${url}/jobs`, { headers }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
    })
  assert.equal(await ask({}), 200)
  assert.equal(await ask({ host: `localhost:${port}` }), 200)
  assert.equal(await ask({ origin: url }), 200)
  assert.equal(await ask({ host: 'evil.example' }), 403, 'a name that leads here')
  assert.equal(await ask({ host: `127.0.0.1.evil.example:${port}` }), 403)
  assert.equal(await ask({ origin: 'http://evil.example' }), 403)
  assert.equal(await ask({ origin: 'null' }), 403)
})

test('settings: bounds, unknown names, and no listening to others without a token', () => {
  assert.equal(readSettings({}).host, '127.0.0.1')
  assert.equal(readSettings({ TRAINING_PORT: '8080' }).port, 8080)
  assert.equal(readSettings({ TRAINING_HOST: '0.0.0.0', TRAINING_TOKEN: token }).token, token)
  const cases = [
    [{ TRAINING_HOST: '0.0.0.0' }, /TRAINING_TOKEN/],
    [{ TRAINING_HOST: '::' }, /TRAINING_TOKEN/],
    [{ TRAINING_HOST: '127.0.0.1.example.org' }, /TRAINING_TOKEN/],
    [{ TRAINING_TOKEN: 'short' }, /5 characters; allowed: 16/],
    [{ TRAINING_TOKEN: 'with a blank in the midst' }, /visible ASCII/],
    [{ TRAINING_PORT: '-1' }, /TRAINING_PORT is "-1"; allowed: 0 to 65535/],
    [{ TRAINING_QUEUE: 'many' }, /TRAINING_QUEUE is "many"/],
    [{ TRAINING_QUEU: '3' }, /there is no setting TRAINING_QUEU/],
  ]
  for (const [environment, message] of cases) assert.throws(() => readSettings(environment), message)
})

test('health, metrics and the description of the interface', async (t) => {
  const { url } = await startService(t)
  assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: 'ok', waiting: 0, running: 0 })
  const metrics = await (await fetch(`${url}/metrics`)).text()
  for (const name of [
    'training_jobs_waiting 0',
    'training_event_streams 0',
    'process_resident_memory_bytes',
  ]) {
    assert.ok(metrics.includes(name), name)
  }
  const { openapi, paths } = await (await fetch(`${url}/openapi.json`)).json()
  assert.match(openapi, /^3\.1/)
  assert.deepEqual(Object.keys(paths).sort(), [
    '/datasets',
    '/health',
    '/jobs',
    '/jobs/{id}',
    '/jobs/{id}/events',
    '/jobs/{id}/model',
    '/jobs/{id}/predict',
    '/metrics',
  ])
  const { content } = paths['/jobs'].post.requestBody
  assert.deepEqual(Object.keys(content), ['application/json', 'multipart/form-data'])
  const statuses = Object.keys(paths['/jobs'].post.responses)
  assert.deepEqual(statuses, ['202', '400', '413', '429'])
  assert.equal((await fetch(`${url}/nothing`)).status, 404)
})

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { listDatasets } from '../../lib/data/catalogue.js'
import { type DownloadProgress, download } from '../../lib/data/download.js'
import { loadDataset, resolveDataset } from '../../lib/data/load.js'
import { rejectsWith } from '../support/data.js'
import { MatWriter } from '../support/mat.js'

const { ESPALIER_DATA: before } = process.env
t.beforeEach(() => {
  delete process.env.ESPALIER_DATA
})
t.teardown(() => {
  if (before !== undefined) process.env.ESPALIER_DATA = before
})

/** A table whose ten samples all have this feature, so that a test can tell which file was read. */
function lung(mark: number): Buffer {
  const mat = new MatWriter(true)
  const labels = Array.from({ length: 10 }, (_, i) => i % 2)
  return mat.add(mat.dense('X', [10, 1], Array(10).fill(mark)), mat.dense('Y', [10, 1], labels)).bytes()
}

function put(path: string, bytes: Buffer | string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
  return path
}

/** Starts a loopback server. Returns its address. */
async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An address at which nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

t.test('looks in the data directory, then ESPALIER_DATA, then the cache', async (t) => {
  const directory = t.testdir({ option: {}, environment: {} })
  const [dataDirectory, environment, cacheDirectory] = ['option', 'environment', 'cache'].map((name) =>
    join(directory, name),
  )
  const places = {
    dataDirectory: dataDirectory!,
    cacheDirectory: cacheDirectory!,
    mirror: await deadAddress(),
  }
  process.env.ESPALIER_DATA = environment!
  const mark = async () =>
    (await loadDataset('LUNG-discrete', { ...places, scaling: 'none' })).train.values[0]
  const file = 'lung_discrete.mat'

  await rejectsWith(
    t,
    mark(),
    'ERR_ESPALIER_OFFLINE',
    file,
    dataDirectory!,
    environment!,
    cacheDirectory!,
    'digits',
  )
  put(join(cacheDirectory!, 'scikit-feature', file), lung(3))
  t.equal(await mark(), 3, 'cache')
  put(join(environment!, 'scikit-feature', file), lung(2))
  t.equal(await mark(), 2, 'environment')
  put(join(dataDirectory!, 'scikit-feature', file), lung(1))
  t.equal(await mark(), 1, 'option')
  const rows = await listDatasets(places)
  const row = rows.find(({ name }) => name === 'lung_discrete')!
  t.same(row.files, [join(dataDirectory!, 'scikit-feature', file)])
})

t.test('a file in the data directory itself counts when its size is right', async (t) => {
  const directory = t.testdir()
  const options = {
    dataDirectory: directory,
    cacheDirectory: join(directory, 'cache'),
    mirror: await deadAddress(),
  }
  const path = put(join(directory, 'lung_discrete.mat'), lung(4))
  await rejectsWith(t, loadDataset('lung_discrete', options), 'ERR_ESPALIER_OFFLINE')
  // An element of bytes, which the reader passes over, fills the file up to the size of the real one.
  const filling = 7516 - lung(4).length - 8
  put(path, Buffer.concat([lung(4), new MatWriter(true).uint32(2, filling), Buffer.alloc(filling)]))
  t.equal((await loadDataset('lung_discrete', { ...options, scaling: 'none' })).train.values[0], 4)
})

t.test('covtype: the full file before the sample, and honest about which', async (t) => {
  const directory = t.testdir()
  const options = { dataDirectory: directory, cacheDirectory: join(directory, 'cache') }
  const row = (label: number) => `${Array.from({ length: 54 }, (_, i) => i + label).join(',')},${label}\n`
  const rows = Array.from({ length: 20 }, (_, i) => row(1 + (i % 2))).join('')
  put(join(directory, 'covtype', 'covtype.strat92962.data'), rows)
  const { train, test } = await loadDataset('covtype', options)
  t.equal(train.name, 'covtype (16 % sample)')
  t.same([train.samples, test.samples, train.features], [16, 4, 54])
  t.equal(
    (await listDatasets(options)).find(({ name }) => name === 'covtype')!.found,
    'covtype (16 % sample)',
  )
  const full = put(join(directory, 'covtype', 'covtype.data'), rows)
  await rejectsWith(t, loadDataset('covtype', options), 'ERR_ESPALIER_DATA', full, '20 samples', '581012')
})

t.test('downloads are checked, kept, and reported', async (t) => {
  const body = Buffer.alloc(300_000, 'espalier')
  const sha256 = createHash('sha256').update(body).digest('hex')
  let requests = 0
  const address = await serve(t, (request, response) => {
    requests++
    if (request.url === '/moved') return response.writeHead(302, { location: '/there/data.bin' }).end()
    if (request.url !== '/there/data.bin') return response.writeHead(404).end('no')
    // Marked as if it were packed in transit: it must be kept as it is all the same.
    response.writeHead(200, { 'content-length': body.length, 'content-encoding': 'gzip' }).end(body)
  })
  const directory = t.testdir()
  const target = join(directory, 'new', 'data.bin')
  const steps: DownloadProgress[] = []
  await download(`${address}/moved`, target, { sha256, onProgress: (step) => steps.push(step) })
  t.equal(requests, 2)
  t.ok(existsSync(target))
  t.same(steps.at(-1), { file: 'moved', received: body.length, total: body.length })
  t.same(readdirSync(dirname(target)), ['data.bin'], 'nothing else is left')

  const wrong = join(directory, 'wrong.bin')
  const mismatch = download(`${address}/there/data.bin`, wrong, { sha256: '0'.repeat(64) })
  await rejectsWith(t, mismatch, 'ERR_ESPALIER_CHECKSUM', sha256, '0'.repeat(64), address)
  t.same(readdirSync(directory), ['new'], 'a wrong file is not kept')
  await t.rejects(download(`${address}/none`, wrong, {}), { message: /404/ })
  const blocked = put(join(directory, 'file'), 'x')
  const intoFile = download(`${address}/there/data.bin`, join(blocked, 'data.bin'), {})
  await rejectsWith(t, intoFile, 'ERR_ESPALIER_FILE', blocked)
})

t.test('a wrong file from a mirror, a server that says no, one that hangs up', async (t) => {
  const directory = t.testdir()
  let answer: RequestListener = (_, response) => response.end('something else')
  const mirror = await serve(t, (request, response) => answer(request, response))
  const cacheDirectory = join(directory, 'cache')
  const load = () => loadDataset('colon', { mirror, cacheDirectory })
  await rejectsWith(t, load(), 'ERR_ESPALIER_CHECKSUM', `${mirror}/scikit-feature/colon.mat`, 'ffcdeba0')
  t.same(readdirSync(join(cacheDirectory, 'scikit-feature')), [])
  answer = (_, response) => response.writeHead(503).end()
  await rejectsWith(t, load(), 'ERR_ESPALIER_OFFLINE', '503', 'colon.mat', '--data')
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('half')
    setTimeout(() => response.destroy(), 20)
  }
  await rejectsWith(t, load(), 'ERR_ESPALIER_OFFLINE', 'colon.mat')
  t.same(readdirSync(join(cacheDirectory, 'scikit-feature')), [])
  answer = (_, response) => response.writeHead(302, { location: '/again' }).end()
  await rejectsWith(t, load(), 'ERR_ESPALIER_OFFLINE', 'redirects')
})

t.test('a download can be stopped', async (t) => {
  const directory = t.testdir()
  const mirror = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('first')
  })
  const controller = new AbortController()
  const onProgress = () => controller.abort(new Error('enough'))
  const cacheDirectory = join(directory, 'cache')
  const loading = loadDataset('colon', { mirror, cacheDirectory, onProgress, signal: controller.signal })
  await t.rejects(loading, { message: 'enough' })
  t.same(readdirSync(join(cacheDirectory, 'scikit-feature')), [])
})

t.test('EMNIST says what to unpack where', async (t) => {
  const directory = t.testdir()
  const loading = loadDataset('emnist-letters', { cacheDirectory: directory })
  await rejectsWith(
    t,
    loading,
    'ERR_ESPALIER_OFFLINE',
    'gzip.zip',
    'emnist-letters-train-images-idx3-ubyte.gz',
  )
})

t.test('names, paths and mistakes', async (t) => {
  const directory = t.testdir({ 'table.csv': '1,2,0\n2,3,1\n3,4,0\n4,5,1\n5,6,0\n' })
  const missing = 'ERR_ESPALIER_NOT_FOUND'
  await rejectsWith(t, loadDataset('fashion-mnits'), missing, '"fashion-mnits"', 'fashion-mnist')
  await rejectsWith(t, resolveDataset('digit'), missing, 'digits')
  await rejectsWith(t, resolveDataset(join(directory, 'none.csv')), missing, 'none.csv')
  await rejectsWith(
    t,
    loadDataset('colon', { dataDirectory: join(directory, 'no') }),
    missing,
    'dataDirectory',
  )
  process.env.ESPALIER_DATA = join(directory, 'nowhere')
  await rejectsWith(t, loadDataset('colon'), missing, 'ESPALIER_DATA', 'nowhere')
  await rejectsWith(t, loadDataset('digits', { sed: 1 } as object), 'ERR_ESPALIER_OPTION', '"sed"')
  for (const name of [undefined, 5] as never[]) {
    await rejectsWith(
      t,
      loadDataset(name),
      'ERR_ESPALIER_OPTION',
      `loadDataset: name is ${name}; allowed: a name`,
    )
    const resolved = resolveDataset(name)
    await rejectsWith(
      t,
      resolved,
      'ERR_ESPALIER_OPTION',
      `resolveDataset: nameOrPath is ${name}; allowed: a name`,
    )
  }
  const nothing = resolveDataset('digits', null as never)
  await rejectsWith(t, nothing, 'ERR_ESPALIER_OPTION', 'resolveDataset: options are null')
  for (const mirror of ['ftp://x', 'here']) {
    const wrong = loadDataset('mnist', { mirror })
    await rejectsWith(
      t,
      wrong,
      'ERR_ESPALIER_OPTION',
      `"mirror" is "${mirror}"; allowed: an address`,
      'https://',
    )
  }
  await rejectsWith(t, resolveDataset('digits', { label: 'a' }), 'ERR_ESPALIER_OPTION', '"label"')
  const path = join(directory, 'table.csv')
  const { train, test } = await resolveDataset(path, {
    dataDirectory: directory,
    seed: 1,
    label: 0,
    task: 'regression',
  })
  t.same(
    [train.samples, test.samples, train.features],
    [4, 1, 2],
    'options of the catalogue do not disturb a file',
  )
  t.equal((await resolveDataset('madelon', { seed: 1 })).train.features, 500)
})

t.test('the list shows everything', async (t) => {
  const rows = await listDatasets({ cacheDirectory: t.testdir() })
  t.equal(rows.length, 2 + 3 + 1 + 16 + 12)
  t.equal(new Set(rows.map(({ name }) => name)).size, rows.length, 'names are unique')
  for (const row of rows) {
    t.ok(
      row.samples > 0 && row.features > 0 && row.classes > 1 && row.licence !== '' && row.source !== '',
      row.name,
    )
    t.same(row.files, [])
  }
})

/** Small files that stand for far more than they hold: none may take more than ten times its size and a constant. */
import { execFileSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { MatWriter } from '../support/mat.js'
import { zipOf } from '../support/zip.js'

/** Beyond ten times the file: what a reader is allowed, and what the runtime takes for its garbage. */
const freeMegabytes = 384

const library = fileURLToPath(new URL('../../lib/index.js', import.meta.url))

/** Megabytes that a process of its own grows by while it reads, and how that ended. */
function reading(call: string, file: string): { grown: number; end: string } {
  const code = `
    import { readDataset, readNpz, readSparseNpz } from ${JSON.stringify(library)}
    const readSamples = (file) => readDataset(file, { label: null })
    const before = process.resourceUsage().maxRSS
    const end = await ${call}(process.argv[1]).then(() => 'read', (error) => error.code)
    console.log(JSON.stringify({ grown: (process.resourceUsage().maxRSS - before) / 1024, end }))`
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', code, file]).toString())
}

function npy(descr: string, shape: string, data: Buffer): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117)
  return Buffer.concat([Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1'), data])
}

const zeros = (megabytes: number, bytes = 0) => Buffer.alloc(megabytes * 2 ** 20 + bytes)
const lines = (count: number, line: (i: number) => string) =>
  Buffer.from(Array.from({ length: count }, (_, i) => line(i)).join('\n'))
/** Of one dimension and so many times 2^20 bytes. */
const idxHeader = (megabytes: number) =>
  Buffer.from([0, 0, 8, 1, megabytes >>> 4, (megabytes << 4) & 255, 0, 0])
const npzOf = (bytes: Buffer) => zipOf([{ name: 'a.npy', bytes, deflate: true }])
/** A matrix of SciPy with one element. */
function emptyMatrix(rows: number): Buffer {
  const integers = (...values: bigint[]) =>
    npy('<i8', `(${values.length},)`, Buffer.from(BigInt64Array.from(values).buffer))
  const arrays = {
    format: npy('|S3', '()', Buffer.from('coo')),
    shape: integers(BigInt(rows), 4n),
    row: integers(5n),
    col: integers(1n),
    data: npy('<f4', '(1,)', zeros(0, 4)),
  }
  return zipOf(Object.entries(arrays).map(([name, bytes]) => ({ name: `${name}.npy`, bytes })))
}

function sparseMat(): Buffer {
  const writer = new MatWriter(true)
  writer.add(writer.sparse('X', [20_000, 20_000], [0], [...new Array(20_000).fill(0), 1], [1]))
  writer.add(writer.dense('Y', [20_000, 1], new Array(20_000).fill(1), 2))
  return writer.bytes()
}

const memory = 'ERR_ESPALIER_MEMORY'
const cases: [file: string, call: string, expected: string, make: () => Buffer][] = [
  ['some-idx1-ubyte.gz', 'readSamples', 'read', () => gzipSync(Buffer.concat([idxHeader(50), zeros(50)]))],
  ['many-idx1-ubyte.gz', 'readSamples', memory, () => gzipSync(Buffer.concat([idxHeader(160), zeros(160)]))],
  ['halves.npy', 'readSamples', memory, () => gzipSync(npy('<f2', `(${40 * 2 ** 20},)`, zeros(80)))],
  ['integers.npy', 'readSamples', 'read', () => gzipSync(npy('<i8', `(${6 * 2 ** 20},)`, zeros(48)))],
  ['halves.npz', 'readNpz', memory, () => npzOf(npy('<f2', `(${50 * 2 ** 20},)`, zeros(100)))],
  ['empty.npz', 'readSparseNpz', memory, () => emptyMatrix(2 ** 24)],
  ['less-empty.npz', 'readSparseNpz', 'read', () => emptyMatrix(9_000_000)],
  ['sparse.mat', 'readDataset', memory, sparseMat],
  ['labels.libsvm.gz', 'readDataset', memory, () => gzipSync(Buffer.alloc(40 * 2 ** 20, '1\n'))],
  ['empty.libsvm', 'readDataset', memory, () => lines(100, () => '1 2000000:1')],
  ['numbers.csv.gz', 'readDataset', memory, () => gzipSync(Buffer.alloc(120 * 2 ** 20, '0,0,0,0,0,0,0\n'))],
  ['names.csv.gz', 'readDataset', memory, () => gzipSync(lines(2_000_000, (i) => `0,n${i}`))],
  ['categories.csv', 'readDataset', memory, () => lines(20_000, (i) => `${`c${i % 256},`.repeat(40)}1`)],
  ['columns.csv', 'readDataset', memory, () => lines(2, () => 'a,'.repeat(7 * 2 ** 20))],
  [
    'quote.csv.gz',
    'readDataset',
    'ERR_ESPALIER_FORMAT',
    () => gzipSync(`1,2\n"${'\n'.repeat(100 * 2 ** 20)}`),
  ],
]

for (const [name, call, expected, make] of cases) {
  t.test(name, async (t) => {
    const file = join(t.testdir(), name)
    writeFileSync(file, make())
    const megabytes = statSync(file).size / 2 ** 20
    const { grown, end } = reading(call, file)
    t.equal(end, expected)
    t.ok(
      grown <= 10 * megabytes + freeMegabytes,
      `${megabytes.toFixed(1)} MB: grew by ${grown.toFixed(0)} MB`,
    )
  })
}

/** Readers of samples, and of JSON that comes from outside. */
import { readFileSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { deflateSync, gzipSync } from 'node:zlib'
import {
  compare,
  type FinishedRun,
  readDataset,
  readRunRecord,
  readStudyFile,
  writeNpy,
  writeRunRecord,
} from 'espalier'
import { madeUp } from '../report/made-up.js'
import { MatWriter } from '../support/mat.js'
import { jsonTokens, type Seed, type Target, words } from './target.js'

const table = 'left,middle,kind\n1,0.5,a\n2,-3e-2,b\n"3",4,"a, b"\n'
const typed = 'target;x;y\n0;red;1\n1;blue;2\n0;red;3\n'
const libsvm = '1 1:0.5 3:2 # first\n-1 qid:3 2:1\n1 3:1e3\n'
const study = JSON.stringify({
  name: 'a',
  datasets: ['digits'],
  seeds: 2,
  network: { hidden: [4] },
  methods: [{ name: 'm' }],
})

const zipped = (text: string): Seed[] => [
  { bytes: Buffer.from(text) },
  { bytes: Buffer.from(text), finish: (changed) => gzipSync(changed, { level: 1 }) },
  { bytes: gzipSync(text) },
]

/** Numbers of every type, in both byte orders and compressed, and the inside of a compressed element alone. */
function matSeeds(): Seed[] {
  const file = (little: boolean, build: (writer: MatWriter) => void) => {
    const writer = new MatWriter(little)
    build(writer)
    return writer.bytes()
  }
  const parts = (writer: MatWriter) => [
    writer.dense('X', [2, 3], [1, 2, 3, 4, 5, 6], 2),
    writer.dense('Y', [2, 1], [0, 1], 9),
  ]
  const little = new MatWriter(true)
  const labels = little.dense('Y', [3, 1], [0, 1, 1])
  const sparse = little.sparse('X', [3, 2], [0, 2, 1], [0, 2, 3], [1, 2, 3])
  const inside = (changed: Buffer) =>
    Buffer.concat([
      new MatWriter(true).bytes(),
      little.element(15, deflateSync(changed, { level: 1 })),
      labels,
    ])
  return [
    { bytes: file(true, (writer) => writer.add(...parts(writer), writer.text('note', 'abc'))) },
    { bytes: file(false, (writer) => writer.add(...parts(writer))) },
    { bytes: file(true, (writer) => writer.add(...parts(writer).map((part) => writer.compressed(part)))) },
    { bytes: Buffer.concat([new MatWriter(true).bytes(), sparse, labels]) },
    { bytes: sparse, finish: inside },
    { bytes: little.dense('X', [3, 2], [1, 2, 3, 4, 5, 6], 9), finish: inside },
  ]
}

function idxSeeds(): Seed[] {
  const header = (type: number, ...sides: number[]) => {
    const bytes = Buffer.alloc(4 + 4 * sides.length)
    bytes[2] = type
    bytes[3] = sides.length
    sides.forEach((side, i) => {
      bytes.writeUInt32BE(side, 4 + 4 * i)
    })
    return bytes
  }
  const images = Buffer.concat([header(8, 2, 2, 3), Buffer.from([...Array(12).keys()])])
  const floats = Buffer.concat([header(13, 2, 1), Buffer.from([63, 128, 0, 0, 64, 0, 0, 0])])
  return [
    { bytes: images },
    { bytes: floats },
    { bytes: images, finish: (changed) => gzipSync(changed, { level: 1 }) },
  ]
}

const textTokens = words(
  '\n',
  '\r\n',
  ',',
  ';',
  '\t',
  '"',
  '""',
  'nan',
  'inf',
  '?',
  '-',
  '1e40',
  '#',
  ':',
  'qid:',
  '\xef\xbb\xbf',
  '\x00',
  '4294967296:1',
  '2147483647:1',
)

/** The key of the run in the file, by which it is looked for. */
const key = 'run'

/** A run of a comparison that came to its end, and one that failed. */
async function compareSeeds(folder: string): Promise<Seed[]> {
  const datasets = [{ name: 'digits', train: 40, test: 20 }]
  const { runs } = await compare(
    {
      name: 'seeds',
      datasets,
      sparsities: [0.5],
      seeds: 1,
      network: { hidden: [4] },
      fit: { epochs: 2 },
      methods: [{ name: 'm' }],
    },
    { folder: join(folder, 'seeds') },
  )
  const { status, result, history, layers, notes, measures, machine, data, ...base } = runs[0] as FinishedRun
  const error = { code: 'ERR_ESPALIER_DIVERGED', message: 'the loss is no longer a finite number' }
  return [runs[0]!, { ...base, status: 'failed', error }].map((run) => ({
    bytes: Buffer.from(JSON.stringify({ ...run, job: { ...run.job, key } })),
  }))
}

/** The library's own reader, which only `compare` calls. */
const runFile = pathToFileURL(
  join(dirname(createRequire(import.meta.url).resolve('espalier')), 'experiment', 'run-file.js'),
)

async function readCompareRun(file: string): Promise<unknown> {
  const { RunFolder } = await import(runFile.href)
  const folder = `${file}.runs`
  await mkdir(folder, { recursive: true })
  await copyFile(file, join(folder, `${key}.json`))
  return new RunFolder(folder).read([{ key }])
}

const labelled = (file: string) => readDataset(file)
const unlabelled = (file: string) => readDataset(file, { label: null })

export const dataTargets: readonly Target[] = [
  {
    name: 'csv',
    extension: 'csv',
    tokens: textTokens,
    seeds: async () => [...zipped(table), ...zipped(typed)],
    read: labelled,
  },
  {
    name: 'libsvm',
    extension: 'libsvm',
    tokens: textTokens,
    seeds: async () => zipped(libsvm),
    read: labelled,
  },
  {
    name: 'mat',
    extension: 'mat',
    tokens: words('IM', 'MI', 'X', 'Y', '\x0e\x00\x00\x00', '\x0f\x00\x00\x00', '\x00\x01'),
    seeds: async () => matSeeds(),
    read: labelled,
  },
  {
    name: 'idx',
    extension: 'idx3-ubyte',
    tokens: words('\x00\x00\x08\x01', '\x00\x00\x0d\x03'),
    seeds: async () => idxSeeds(),
    read: unlabelled,
  },
  {
    name: 'npy samples',
    extension: 'npy',
    tokens: words('\x93NUMPY', "'shape': (", "'fortran_order': True", '>i8', '<f2', ',)'),
    seeds: async (folder) => {
      const file = join(folder, 'seed.npy')
      await writeNpy(file, { shape: [2, 2, 3], data: Int16Array.from({ length: 12 }, (_, i) => i) })
      return [{ bytes: readFileSync(file) }]
    },
    read: unlabelled,
  },
  {
    name: 'any format',
    extension: 'data',
    tokens: textTokens,
    seeds: async () => [...matSeeds(), ...idxSeeds().slice(0, 2), ...zipped(table), ...zipped(libsvm)],
    read: unlabelled,
  },
  {
    name: 'run record',
    extension: 'json',
    tokens: jsonTokens,
    seeds: async (folder) => {
      const file = join(folder, 'seed.json')
      await writeRunRecord(file, madeUp())
      return [{ bytes: readFileSync(file) }]
    },
    read: readRunRecord,
  },
  {
    name: 'study file',
    extension: 'json',
    tokens: jsonTokens,
    seeds: async () => [{ bytes: Buffer.from(study) }],
    read: readStudyFile,
  },
  {
    name: 'compare run',
    extension: 'json',
    tokens: jsonTokens,
    seeds: compareSeeds,
    read: readCompareRun,
  },
]

/** Readers of weights: safetensors, checkpoints, NumPy, SciPy, and imports of networks. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  adam,
  dense,
  importNetwork,
  layerNorm,
  Network,
  type NumpyArray,
  readCheckpoint,
  readNpy,
  readNpz,
  readSafetensors,
  readSparseNpz,
  rigl,
  sparse,
  type Tensor,
  writeNpy,
  writeSafetensors,
  writeSparseNpz,
} from 'espalier'
import { clouds } from '../model/support.js'
import { zipOf } from '../support/zip.js'
import { jsonTokens, type Seed, type Target, words } from './target.js'

const safetensorsTokens = words(
  '"dtype":',
  '"shape":',
  '"data_offsets":',
  '"F32"',
  '"I64"',
  '"U8"',
  '"__metadata__":',
)
const npyTokens = words(
  '\x93NUMPY',
  "'descr': ",
  "'shape': (",
  "'fortran_order': True",
  '|O',
  '>i8',
  '<f2',
  '|b1',
  '(),',
  ',)',
  '99999999999',
)
const zipTokens = words(
  'PK\x01\x02',
  'PK\x03\x04',
  'PK\x05\x06',
  'PK\x06\x06',
  'PK\x06\x07',
  '../',
  '\xff\xff\xff\xff',
  '.npy',
)

/** A file, and its header alone with the length before it made right again. */
function headerSeeds(file: Buffer): Seed[] {
  const end = 8 + Number(file.readBigUInt64LE(0))
  const finish = (header: Buffer) => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(header.length))
    return Buffer.concat([length, header, file.subarray(end)])
  }
  return [{ bytes: file }, { bytes: file.subarray(8, end), finish }]
}

async function safetensorsFile(folder: string, tensors: readonly Tensor[], metadata = {}): Promise<Buffer> {
  const file = join(folder, 'seed.safetensors')
  await writeSafetensors(file, tensors, metadata)
  return readFileSync(file)
}

const mlp: readonly Tensor[] = [
  { name: 'fc1.weight', shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i % 5) },
  { name: 'fc1.bias', shape: [4], data: new Float32Array(4) },
  { name: 'fc2.weight', shape: [2, 4], data: Float64Array.from({ length: 8 }, (_, i) => i) },
]

/** Checkpoints of small networks that have been trained, and their metadata alone. */
async function checkpointSeeds(folder: string): Promise<Seed[]> {
  const file = join(folder, 'seed.safetensors')
  const seeds: Seed[] = []
  for (const layers of [
    [sparse(6, { activation: 'srelu' }), layerNorm(), dense(2)],
    [sparse(6, { block: '4x4' }), sparse(5, { bias: false }), dense(2)],
  ]) {
    using network = new Network({ inputs: 5, layers, sparsity: 0.5, device: 'cpu' })
    await network.fit(clouds(20, 5, 2), {
      epochs: 1,
      batchSize: 10,
      optimizer: adam(),
      rewire: rigl({ every: 1 }),
      threads: 1,
    })
    await network.save(file)
    seeds.push(...headerSeeds(readFileSync(file)))
    const { tensors, metadata } = await readSafetensors(file)
    const [start] = headerSeeds(await safetensorsFile(folder, tensors))
    const data = start!.bytes.subarray(8 + Number(start!.bytes.readBigUInt64LE(0)))
    const header = JSON.parse(start!.bytes.toString('utf8', 8, start!.bytes.length - data.length))
    for (const [key, value] of Object.entries(metadata)) {
      const finish = (changed: Buffer) => {
        const notes = { ...metadata, [key]: changed.toString() }
        const json = Buffer.from(JSON.stringify({ ...header, __metadata__: notes }))
        const length = Buffer.alloc(8)
        length.writeBigUInt64LE(BigInt(json.length))
        return Buffer.concat([length, json, data])
      }
      seeds.push({ bytes: Buffer.from(value), finish })
    }
  }
  return seeds
}

let files = 0

async function npyFile(folder: string, array: NumpyArray): Promise<Buffer> {
  const file = join(folder, `seed-${files++}.npy`)
  await writeNpy(file, array)
  return readFileSync(file)
}

/** Arrays of every type. */
async function npySeeds(folder: string): Promise<Seed[]> {
  const arrays: NumpyArray[] = [
    { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { shape: [3], data: BigInt64Array.of(1n, -2n, 3n) },
    { shape: [], data: Float64Array.of(1.5) },
    { shape: [2, 1, 2], data: Int16Array.of(1, 2, 3, 4) },
    { shape: [4], data: Uint8Array.of(0, 1, 1, 0), boolean: true },
  ]
  return Promise.all(arrays.map(async (array) => ({ bytes: await npyFile(folder, array) })))
}

async function npzSeeds(folder: string): Promise<Seed[]> {
  const inside: Seed[] = await npySeeds(folder)
  const entries = inside.map(({ bytes }, i) => ({ name: `a${i}.npy`, bytes, deflate: i % 2 === 0 }))
  return [
    { bytes: zipOf(entries) },
    { bytes: zipOf(entries.slice(0, 1)) },
    ...inside.map(({ bytes }, i) => ({
      bytes,
      finish: (changed: Buffer) =>
        zipOf([{ name: 'a.npy', bytes: changed, deflate: i % 2 === 0 }, entries[1]!]),
    })),
  ]
}

async function sparseSeeds(folder: string): Promise<Seed[]> {
  const file = join(folder, 'seed.npz')
  await writeSparseNpz(file, {
    shape: [3, 4],
    rowOffsets: BigInt64Array.of(0n, 2n, 2n, 4n),
    columnIndices: Int32Array.of(0, 3, 1, 2),
    values: Float32Array.of(1, 2, 3, 4),
  })
  const whole = readFileSync(file)
  const list = (...values: number[]) =>
    npyFile(folder, { shape: [values.length], data: Int32Array.from(values) })
  const data = await npyFile(folder, { shape: [4], data: Float32Array.of(1, 2, 3, 4) })
  const blocks = await npyFile(folder, { shape: [2, 1, 2], data: Float32Array.of(1, 2, 3, 4) })
  const shape = await list(3, 4)
  const formats: Record<string, Record<string, Buffer>> = {
    csr: { indptr: await list(0, 2, 2, 4), indices: await list(0, 3, 1, 2), data, shape },
    csc: { indptr: await list(0, 1, 1, 3, 4), indices: await list(0, 1, 2, 0), data, shape },
    coo: { row: await list(0, 1, 2, 2), col: await list(3, 2, 1, 0), data, shape },
    bsr: { indptr: await list(0, 1, 1, 2), indices: await list(0, 1), data: blocks, shape },
  }
  const seeds: Seed[] = [{ bytes: whole }]
  for (const [format, arrays] of Object.entries(formats)) {
    const header = `{'descr': '|S3', 'fortran_order': False, 'shape': (), }`.padEnd(117)
    const text = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n${format}`, 'latin1')
    const all = { ...arrays, format: text }
    for (const [name, bytes] of Object.entries(all)) {
      const finish = (changed: Buffer) =>
        zipOf(
          Object.entries({ ...all, [name]: changed }).map(([entry, inside]) => ({
            name: `${entry}.npy`,
            bytes: inside,
          })),
        )
      seeds.push({ bytes, finish })
    }
  }
  return seeds
}

async function importSeeds(folder: string): Promise<Seed[]> {
  const entries = await Promise.all(
    mlp.map(async ({ name, shape, data }) => ({
      name: `${name}.npy`,
      bytes: await npyFile(folder, { shape, data }),
    })),
  )
  return [
    ...headerSeeds(await safetensorsFile(folder, mlp)),
    ...entries.map(({ bytes }, i) => ({
      bytes,
      finish: (changed: Buffer) =>
        zipOf(entries.map((entry, at) => (at === i ? { ...entry, bytes: changed } : entry))),
    })),
  ]
}

/** A network that is disposed once it is there. */
const dropped = async (network: Promise<Network>) => (await network).dispose()

export const weightTargets: readonly Target[] = [
  {
    name: 'safetensors',
    extension: 'safetensors',
    tokens: [...jsonTokens, ...safetensorsTokens],
    seeds: async (folder) =>
      headerSeeds(
        await safetensorsFile(folder, [...mlp, { name: 'n', shape: [2], data: BigInt64Array.of(1n, 2n) }], {
          a: 'b',
        }),
      ),
    read: readSafetensors,
  },
  {
    name: 'checkpoint',
    extension: 'safetensors',
    tokens: [
      ...jsonTokens,
      ...safetensorsTokens,
      ...words('"type":', '"sparse"', '"saved"', '"layers":', '"block":', '"sparsity":'),
    ],
    seeds: checkpointSeeds,
    read: readCheckpoint,
  },
  {
    name: 'network',
    extension: 'safetensors',
    tokens: [...jsonTokens, ...safetensorsTokens],
    seeds: checkpointSeeds,
    read: (file) => dropped(Network.load(file, { device: 'cpu' })),
  },
  { name: 'npy', extension: 'npy', tokens: npyTokens, seeds: npySeeds, read: readNpy },
  {
    name: 'npz',
    extension: 'npz',
    tokens: [...npyTokens, ...zipTokens],
    seeds: npzSeeds,
    read: (file) => readNpz(file),
  },
  {
    name: 'sparse-npz',
    extension: 'npz',
    tokens: [...npyTokens, ...words('csr', 'csc', 'coo', 'bsr', 'dia')],
    seeds: sparseSeeds,
    read: (file) => readSparseNpz(file),
  },
  {
    name: 'import',
    extension: 'bin',
    tokens: [...npyTokens, ...safetensorsTokens, ...jsonTokens],
    seeds: importSeeds,
    read: (file) => dropped(importNetwork(file, { sparsity: 0.5, device: 'cpu' })),
  },
]

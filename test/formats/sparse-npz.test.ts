import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import {
  layerMatrix,
  matrixPattern,
  Network,
  type NumpyArray,
  readNpz,
  readSparseNpz,
  type SparseMatrix,
  savedTopology,
  writeNpy,
  writeSparseLayers,
  writeSparseNpz,
} from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { rejectsWith } from '../support/data.js'
import { type Entry, zipOf } from '../support/zip.js'
import { networkOptions, randomNetwork } from './networks.js'

const skip = { skip: noAddon }

/** 0 0 3 / 1 0 0 / 0 0 0 / 4 5 6, a zero stored at (2, 1). */
const known: SparseMatrix = {
  shape: [4, 3],
  rowOffsets: BigInt64Array.of(0n, 1n, 2n, 3n, 6n),
  columnIndices: Int32Array.of(2, 0, 1, 0, 1, 2),
  values: Float32Array.of(3, 1, 0, 4, 5, 6),
}

/** An archive as SciPy writes it. */
async function scipy(folder: string, format: string, arrays: Record<string, NumpyArray>): Promise<string> {
  const entries: Entry[] = []
  for (const [name, array] of Object.entries(arrays)) {
    const file = join(folder, 'part.npy')
    await writeNpy(file, array)
    entries.push({ name: `${name}.npy`, bytes: readFileSync(file), deflate: true })
  }
  const header = `{'descr': '|S${format.length}', 'fortran_order': False, 'shape': (), }`.padEnd(117)
  const text = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
    Buffer.from(`${header}\n${format}`),
  ])
  const file = join(folder, `${format}.npz`)
  writeFileSync(file, zipOf([...entries, { name: 'format.npy', bytes: text }]))
  return file
}
const list = (data: NumpyArray['data']): NumpyArray => ({ shape: [data.length], data })
const ints = (...values: number[]) => list(Int32Array.from(values))
const shape = (...sides: number[]) => list(BigInt64Array.from(sides, BigInt))

t.test('what is written is read again, as SciPy names it', async (t) => {
  const file = join(t.testdir(), 'w.npz')
  for (const values of [
    known.values,
    Float64Array.from(known.values, Number),
    Int8Array.from(known.values, Number),
  ]) {
    await writeSparseNpz(file, { ...known, values })
    t.strictSame(await readSparseNpz(file), { ...known, values })
  }
  await t.rejects(readNpz(file), { message: /entry "format\.npy"/ })
  for (const [wrong, message] of [
    [{ shape: [3, 3] }, '3 x 3 has 5 offsets up to 6'],
    [{ values: Float32Array.of(1) }, '6 columns and 1 values'],
    [{ columnIndices: Int32Array.of(2, 0, 1, 0, 1, 3) }, 'column 3 after 1 in row 3'],
    [{ columnIndices: Int32Array.of(2, 0, 1, 0, 0, 2) }, 'column 0 after 0 in row 3'],
    [{ rowOffsets: BigInt64Array.of(0n, 1n, 0n, 3n, 6n) }, 'smaller than the one before it, in row 1'],
  ] as const) {
    await rejectsWith(t, writeSparseNpz(file, { ...known, ...wrong }), 'ERR_ESPALIER_OPTION', message)
    t.throws(() => matrixPattern({ ...known, ...wrong }), { code: 'ERR_ESPALIER_OPTION' })
  }
})

t.test('every format of SciPy that has elements becomes the same matrix', async (t) => {
  const folder = t.testdir()
  const formats: Record<string, Record<string, NumpyArray>> = {
    // The last row is not in order.
    csr: {
      indices: ints(2, 0, 1, 2, 0, 1),
      indptr: ints(0, 1, 2, 3, 6),
      data: list(Float32Array.of(3, 1, 0, 6, 4, 5)),
    },
    csc: {
      indices: ints(1, 3, 3, 2, 0, 3),
      indptr: ints(0, 2, 4, 6),
      data: list(Float32Array.of(1, 4, 5, 0, 3, 6)),
    },
    coo: {
      row: list(BigInt64Array.of(3n, 0n, 2n, 3n, 1n, 3n)),
      col: list(BigInt64Array.of(2n, 2n, 1n, 0n, 0n, 1n)),
      data: list(Float32Array.of(6, 3, 0, 4, 1, 5)),
    },
  }
  for (const [format, arrays] of Object.entries(formats)) {
    t.strictSame(
      await readSparseNpz(await scipy(folder, format, { ...arrays, shape: shape(4, 3) })),
      known,
      format,
    )
  }
  const blocks = await scipy(folder, 'bsr', {
    indices: ints(1, 0),
    indptr: ints(0, 1, 2),
    data: { shape: [2, 1, 2], data: Float32Array.of(1, 2, 3, 4) },
    shape: shape(2, 4),
  })
  t.strictSame(await readSparseNpz(blocks), {
    shape: [2, 4],
    rowOffsets: BigInt64Array.of(0n, 2n, 4n),
    columnIndices: Int32Array.of(2, 3, 0, 1),
    values: Float32Array.of(1, 2, 3, 4),
  })
})

t.test('matrices that lie are refused', async (t) => {
  const folder = t.testdir()
  const good = {
    indices: ints(0, 1),
    indptr: ints(0, 1, 2),
    data: list(Float32Array.of(1, 2)),
    shape: shape(2, 2),
  }
  const coo = { row: ints(0, 0), col: ints(1, 1), data: good.data, shape: shape(2, 2) }
  const { indptr: _, ...without } = good
  const lies: [format: string, arrays: Record<string, NumpyArray>, message: RegExp][] = [
    ['dia', good, /format is "dia"; csr, csc, coo and bsr are known \(use \.tocsr\(\)\)/],
    [
      'csr',
      without,
      /csr\.npz: not a sparse matrix of SciPy: no array "indptr"; the file holds indices, data/,
    ],
    ['csr', { ...good, indptr: ints(0, 2) }, /entry "indptr\.npy": 2 offsets for 2 lines/],
    ['csr', { ...good, indptr: ints(0, 2, 1) }, /do not ascend from 0 to at most 2/],
    ['csr', { ...good, indptr: ints(0, 1, 3) }, /do not ascend from 0 to at most 2/],
    ['csr', { ...good, indptr: list(BigInt64Array.of(0n, 1n, 2n ** 62n)) }, /do not ascend/],
    ['csr', { ...good, indices: ints(0, 2) }, /entry "indices\.npy": element 1 is 2; allowed: 0 to 1/],
    ['csr', { ...good, indices: ints(-1, 0) }, /element 0 is -1/],
    ['csr', { ...good, indices: good.data }, /Float32Array of shape \(2\); a list of integers/],
    ['csr', { ...good, data: list(Float32Array.of(1)) }, /entry "data\.npy": 1 elements where 2/],
    ['csr', { ...good, shape: shape(2) }, /the shape is \(2\)/],
    [
      'csr',
      { ...good, shape: shape(2, 2 ** 40) },
      /the shape is \(2, 1099511627776\); two sides from 1 to 16777216/,
    ],
    ['coo', coo, /element \(0, 1\) is stored twice; call sum_duplicates\(\) first/],
    ['coo', { ...coo, row: ints(0) }, /1 elements where 2/],
    [
      'bsr',
      { ...good, data: { shape: [2, 1, 3], data: new Float32Array(6) } },
      /blocks of shape \(2, 1, 3\)/,
    ],
  ]
  for (const [format, arrays, message] of lies) {
    const file = await scipy(folder, format, arrays)
    await t.rejects(readSparseNpz(file), { code: 'ERR_ESPALIER_FORMAT', message }, String(message))
  }
  const empty = await scipy(folder, 'coo', { ...coo, shape: shape(2 ** 24, 2) })
  await rejectsWith(t, readSparseNpz(empty), 'ERR_ESPALIER_MEMORY', empty, 'maxBytes')
})

t.test('the layers of a snapshot, to Python and back', skip, async (t) => {
  const folder = join(t.testdir(), 'weights')
  using network = await randomNetwork(networkOptions.blocks!)
  const snapshot = await network.snapshot()
  const files = await writeSparseLayers(folder, snapshot)
  t.strictSame(
    files.map((file) => basename(file)),
    ['layers.0.npz', 'layers.1.npz'],
  )
  const matrices = await Promise.all(files.map((file) => readSparseNpz(file)))
  t.strictSame(matrices[0], layerMatrix(snapshot, 0))
  // Blocks of 4 x 4 over 14 x 9 stick out at both borders, and what is beyond them is no weight.
  const summary = network.summary()
  for (const [i, { shape, values }] of matrices.entries()) {
    t.strictSame([...shape], [summary[i]!.outputs, summary[i]!.inputs])
    t.equal(values.length, summary[i]!.connections)
  }
  const blocks = ['4x4', '4x1'] as const
  const patterns = matrices.map((matrix, i) => matrixPattern(matrix, { block: blocks[i]! }))
  for (const i of [0, 1]) t.strictSame(patterns[i], await network.pattern(i))
  const { layers, inputs, loss } = networkOptions.blocks!
  using again = new Network({ inputs, layers, loss: loss!, topology: savedTopology(patterns) })
  t.strictSame(await again.pattern(0), await network.pattern(0))
})

t.test('one weight in the middle of nowhere makes one block', (t) => {
  const lonely = {
    shape: [9, 9],
    rowOffsets: new BigInt64Array(10).fill(1n, 6),
    columnIndices: Int32Array.of(8),
    values: Uint8Array.of(0),
  } as const
  t.strictSame(matrixPattern(lonely, { block: [4, 4] }), {
    inputs: 9,
    outputs: 9,
    block: [4, 4],
    rowOffsets: BigInt64Array.of(0n, 0n, 1n, 1n),
    columnIndices: Int32Array.of(2),
  })
  t.throws(() => matrixPattern(lonely, { block: '0x4' }), { code: 'ERR_ESPALIER_OPTION' })
  t.end()
})

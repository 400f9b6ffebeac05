import t from 'tap'
import type { NativeMatrix } from '../../lib/native/kernels-surface.js'
import { kernels, matrixOf } from './support.js'

const good = matrixOf([
  [1, null, 2],
  [null, 3, null],
  [4, 5, null],
])
const option = 'ERR_ESPALIER_OPTION'
const data = 'ERR_ESPALIER_DATA'

function use(matrix: unknown): void {
  kernels.spmm(matrix as NativeMatrix, new Float32Array(3), 1, new Float32Array(3), 1, null, 'float32')
}

t.test('the matrix that the others are made from is fine', async (t) => {
  t.doesNotThrow(() => use(good))
})

const bad: [string, Record<string, unknown>, string, RegExp][] = [
  ['offsets descend', { rowOffsets: BigInt64Array.of(0n, 2n, 1n, 5n) }, data, /row 1/],
  ['offsets beyond the end', { rowOffsets: BigInt64Array.of(0n, 9n, 9n, 5n) }, data, /row 0/],
  ['offsets do not begin at 0', { rowOffsets: BigInt64Array.of(1n, 2n, 3n, 5n) }, data, /from 0/],
  [
    'offsets do not end at the number of entries',
    { rowOffsets: BigInt64Array.of(0n, 2n, 3n, 4n) },
    data,
    /5/,
  ],
  ['negative offsets', { rowOffsets: BigInt64Array.of(0n, -2n, 3n, 5n) }, data, /row 0/],
  ['too few offsets', { rowOffsets: BigInt64Array.of(0n, 2n, 5n) }, data, /3 given, 4 needed/],
  ['no offsets', { rowOffsets: new BigInt64Array() }, data, /0 given/],
  ['a column out of range', { columnIndices: Int32Array.of(0, 3, 1, 0, 1) }, data, /column 3 at entry 1/],
  ['a negative column', { columnIndices: Int32Array.of(-1, 2, 1, 0, 1) }, data, /column -1 at entry 0/],
  ['columns out of order', { columnIndices: Int32Array.of(2, 0, 1, 0, 1) }, data, /ascending at entry 1/],
  ['a column twice', { columnIndices: Int32Array.of(0, 0, 1, 0, 1) }, data, /ascending at entry 1/],
  ['too few values', { values: new Float32Array(4) }, option, /matrix.values.*5.*4/],
  ['too many values', { values: new Float32Array(6) }, option, /matrix.values/],
  ['values of another type', { values: new Float64Array(5) }, option, /matrix.values must be a Float32Array/],
  [
    'offsets of another type',
    { rowOffsets: Int32Array.of(0, 2, 3, 5) },
    option,
    /matrix.rowOffsets must be a BigInt64Array/,
  ],
  [
    'an array instead of columns',
    { columnIndices: [0, 2, 1, 0, 1] },
    option,
    /matrix.columnIndices must be an Int32Array/,
  ],
  ['no rows', { rows: 0 }, option, /matrix.rows/],
  ['half a column', { columns: 2.5 }, option, /matrix.columns/],
  ['rows beyond any size', { rows: 2 ** 40 }, option, /matrix.rows/],
  ['rows that are no number', { rows: '3' }, option, /matrix.rows.*'3'/],
  ['a block of one side', { block: [1] }, option, /matrix.block must be an array of 2/],
  ['a block of nothing', { block: [0, 1] }, option, /matrix.block\[0\]/],
  ['a huge block', { block: [1, 100000] }, option, /matrix.block\[1\]/],
  ['a block that the offsets do not fit', { block: [2, 1] }, data, /4 given, 3 needed/],
]

for (const [name, change, code, message] of bad) {
  t.test(name, async (t) => {
    t.throws(() => use({ ...good, ...change }), { code, message })
    t.throws(() => kernels.transpose({ ...good, ...change } as NativeMatrix), { code, message })
    t.throws(() => kernels.prune({ ...good, ...change } as NativeMatrix, 1, 'magnitude'), { code, message })
  })
}

t.test('something that is no matrix', async (t) => {
  for (const nothing of [undefined, null, 1, 'matrix', []]) {
    t.throws(() => use(nothing), { code: option })
  }
})

t.test('arguments that do not fit the matrix', async (t) => {
  const three = new Float32Array(3)
  const cases: [() => void, RegExp][] = [
    [
      () => kernels.spmm(good, new Float32Array(4), 1, three, 1, null, 'float32'),
      /input must hold 3 numbers; it holds 4/,
    ],
    [() => kernels.spmm(good, three, 1, new Float32Array(2), 1, null, 'float32'), /out must hold 3/],
    [() => kernels.spmm(good, three, 0, three, 1, null, 'float32'), /batch/],
    [() => kernels.spmm(good, three, 2 ** 31, three, 1, null, 'float32'), /batch/],
    [() => kernels.spmm(good, three, 1, three, 0, null, 'float32'), /threads/],
    [() => kernels.spmm(good, three, 1, three, 1e9, null, 'float32'), /threads/],
    [() => kernels.sddmm(good, three, three, 1, new Float32Array(4), 1, null, 'float32'), /out must hold 5/],
    [() => kernels.growAtRandom(good, 5, 1, 0), /5 new connections do not fit into 4/],
    [() => kernels.growByGradient(good, three, three, 1, 5, 1), /positions/],
    [() => kernels.prune(good, 6, 'magnitude'), /count/],
    [() => kernels.pruneBySign(good, 1.5), /fraction/],
    [() => kernels.prune(good, 1, 'set' as 'magnitude'), /rule must be one of magnitude; given 'set'/],
  ]
  for (const [call, message] of cases) t.throws(call, { code: option, message })
})

t.test('a detached buffer', async (t) => {
  const values = new Float32Array(5)
  structuredClone(values.buffer, { transfer: [values.buffer] })
  t.throws(() => use({ ...good, values }), { code: data, message: /matrix.values.*detached/ })
  const input = new Float32Array(3)
  structuredClone(input.buffer, { transfer: [input.buffer] })
  t.throws(() => kernels.spmm(good, input, 1, new Float32Array(3), 1, null, 'float32'), {
    code: data,
    message: /input.*detached/,
  })
})

t.test('a getter that detaches what was read before cannot do harm', async (t) => {
  const values = new Float32Array(5)
  const trap = {
    ...good,
    values,
    get columnIndices() {
      structuredClone(values.buffer, { transfer: [values.buffer] })
      return good.columnIndices
    },
  }
  t.throws(() => use(trap), { code: data, message: /detached/ })
  t.throws(
    () =>
      use({
        ...good,
        get values(): Float32Array {
          throw new TypeError('mine')
        },
      }),
    { message: 'mine' },
  )
})

import t from 'tap'
import {
  growAtRandom,
  growByGradient,
  instructionSets,
  layerConnections,
  prune,
  pruneBySign,
  randomPattern,
  type SparseMatrix,
  sddmm,
  spmm,
  spmmTransposed,
  transpose,
} from '../lib/kernels.js'
import { epsilon } from '../lib/topology/epsilon.js'
import { uniform } from '../lib/topology/uniform.js'
import { noAddon, random } from './model/support.js'

const option = 'ERR_ESPALIER_OPTION'

const draw = random(5)
const floats = (length: number) => Float32Array.from({ length }, () => draw() * 2 - 1)

/** Row 0 is full, row 1 empty, and the last one has one entry. */
const hand: SparseMatrix = {
  rows: 3,
  columns: 4,
  rowOffsets: BigInt64Array.of(0n, 4n, 4n, 5n),
  columnIndices: Int32Array.of(0, 1, 2, 3, 2),
  values: Float32Array.of(1, 2, 3, 4, -5),
}

function randomMatrix(rows: number, columns: number, block: [number, number], blocks: number): SparseMatrix {
  const pattern = randomPattern({ rows, columns, block, blocks, seed: 7 })
  const values = floats(blocks * block[0] * block[1])
  const matrix = { rows, columns, block, ...pattern, values }
  // What lies beyond the border is padding, and zero.
  forEachValue(matrix, (index, row, column) => {
    if (row >= rows || column >= columns) values[index] = 0
  })
  return matrix
}

function forEachValue(
  matrix: SparseMatrix,
  visit: (index: number, row: number, column: number) => void,
): void {
  const [height, width] = matrix.block ?? [1, 1]
  for (let blockRow = 0; blockRow + 1 < matrix.rowOffsets.length; blockRow++) {
    for (
      let entry = Number(matrix.rowOffsets[blockRow]);
      entry < Number(matrix.rowOffsets[blockRow + 1]);
      entry++
    ) {
      for (let i = 0; i < height * width; i++) {
        const column = matrix.columnIndices[entry]! * width + (i % width)
        visit(entry * height * width + i, blockRow * height + Math.floor(i / width), column)
      }
    }
  }
}

/** The matrix with every element, in float64. */
function dense(matrix: SparseMatrix): Float64Array {
  const all = new Float64Array(matrix.rows * matrix.columns)
  forEachValue(matrix, (index, row, column) => {
    if (row < matrix.rows && column < matrix.columns)
      all[row * matrix.columns + column] = matrix.values[index]!
  })
  return all
}

/** a[rows x inner] x b[inner x columns] in float64. */
function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  rows: number,
  inner: number,
  columns: number,
): Float64Array {
  const out = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++)
      for (let j = 0; j < columns; j++) out[i * columns + j]! += a[i * inner + k]! * b[k * columns + j]!
  return out
}

function flipped(a: ArrayLike<number>, rows: number, columns: number): Float64Array {
  return Float64Array.from(
    { length: rows * columns },
    (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]!,
  )
}

const near = (
  t: { ok: typeof import('tap').ok },
  given: Float32Array,
  expected: Float64Array,
  what: string,
  tolerance = 1e-4,
) => {
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - given[i]!)), 0)
  t.ok(given.length === expected.length && worst < tolerance, `${what}: off by ${worst}`)
}

const shapes: [rows: number, columns: number, block: [number, number], blocks: number, batch: number][] = [
  [33, 47, [1, 1], 200, 17],
  [1, 1, [1, 1], 1, 1],
  [1, 50, [1, 1], 20, 3],
  [50, 1, [1, 1], 20, 3],
  [33, 47, [4, 1], 100, 33],
  [33, 47, [4, 4], 30, 1],
  [33, 47, [8, 8], 10, 64],
  [33, 47, [3, 5], 20, 9],
  [33, 47, [1, 1], 300, 1],
  [33, 47, [4, 1], 100, 1],
  [33, 47, [8, 8], 20, 1],
  [33, 47, [16, 16], 6, 1],
  [33, 47, [3, 5], 60, 1],
]

t.test('the three products, on every instruction set, against float64', { skip: noAddon }, (t) => {
  t.ok(instructionSets().includes('baseline'))
  for (const [rows, columns, block, blocks, batch] of shapes) {
    const matrix = randomMatrix(rows, columns, block, blocks)
    const all = dense(matrix)
    const input = floats(columns * batch)
    const gradient = floats(rows * batch)
    const sampled = product(gradient, flipped(input, columns, batch), rows, batch, columns)
    for (const instructionSet of instructionSets()) {
      const what = `${rows} x ${columns}, blocks of ${block.join('x')}, batch ${batch}, ${instructionSet}`
      const options = { instructionSet, threads: 2 }
      near(t, spmm(matrix, input, options), product(all, input, rows, columns, batch), `spmm ${what}`)
      const back = product(flipped(all, rows, columns), gradient, columns, rows, batch)
      near(t, spmmTransposed(matrix, gradient, options), back, `spmmTransposed ${what}`)
      const atEntries = new Float64Array(matrix.values.length)
      forEachValue(matrix, (index, row, column) => {
        if (row < rows && column < columns) atEntries[index] = sampled[row * columns + column]!
      })
      near(t, sddmm(matrix, gradient, input, options), atEntries, `sddmm ${what}`)
    }
  }
  t.end()
})

/** The nearest bfloat16, to even where two are as near. */
function rounded(values: Float32Array): Float32Array {
  const bits = new Uint32Array(values.slice().buffer)
  bits.forEach((word, i) => {
    bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000
  })
  return new Float32Array(bits.buffer)
}

t.test('in bfloat16 the products are those of rounded factors', { skip: noAddon }, (t) => {
  for (const [rows, columns, block, blocks, batch] of [
    ...shapes,
    [24, 40, [8, 1], 60, 129] as const,
    [48, 32, [16, 16], 5, 100] as const,
    [40, 48, [8, 8], 20, 130] as const,
    [24, 40, [4, 4], 50, 70] as const,
    // What matrix units take, in tiles of 8 and 16: odd edges, one panel of 256 samples and more, and inputs in chunks.
    [33, 47, [16, 8], 14, 40] as const,
    [65, 50, [8, 16], 14, 97] as const,
    [100, 70, [32, 32], 7, 128] as const,
    [50, 90, [24, 40], 5, 64] as const,
    [832, 640, [16, 16], 2060, 300] as const,
    [24, 9001, [8, 8], 1500, 33] as const,
  ]) {
    const matrix = randomMatrix(rows, columns, [...block], blocks)
    const all = dense(matrix)
    const input = floats(columns * batch)
    const gradient = floats(rows * batch)
    // A tie in both directions, and what needs its sign and its size kept.
    input.set([1.00390625, 1.01171875, -1.00390625, 3e38, -1e-40].slice(0, input.length - 1))
    if (columns * batch > 4) input[3] = 0
    const x = rounded(input)
    const dy = rounded(gradient)
    t.ok(input.length < 2 || x.some((value, i) => value !== input[i]))
    const forward = product(all, x, rows, columns, batch)
    const backward = product(flipped(all, rows, columns), dy, columns, rows, batch)
    const sampled = product(dy, flipped(x, columns, batch), rows, batch, columns)
    for (const instructionSet of instructionSets()) {
      const what = `${rows} x ${columns}, blocks of ${block.join('x')}, batch ${batch}, ${instructionSet}`
      const options = { instructionSet, threads: 2, precision: 'bfloat16' } as const
      // Matrix units take weights to 16 bits. Errors grow with the number of terms.
      const tiles = instructionSet === 'amx' && block.every((side) => side % 8 === 0)
      const terms = (blocks * block[0] * block[1]) / Math.min(rows, columns)
      const tolerance = (tiles ? 3e-5 : 1e-5) * Math.max(1, terms / 64)
      near(t, spmm(matrix, input, options), forward, `spmm ${what}`, tolerance)
      const back = spmmTransposed(matrix, gradient, options)
      // 4 x 1 does not gather here, so it has no need to round.
      near(t, back, backward, `spmmTransposed ${what}`, block.join() === '4,1' ? 0.05 : tolerance)
      const atEntries = new Float64Array(matrix.values.length)
      forEachValue(matrix, (index, row, column) => {
        if (row < rows && column < columns) atEntries[index] = sampled[row * columns + column]!
      })
      near(t, sddmm(matrix, gradient, input, options), atEntries, `sddmm ${what}`, 1e-4)
    }
  }
  t.end()
})

t.test('in bfloat16 what is not a number stays none', { skip: noAddon }, (t) => {
  const bits = new Uint32Array([0x7fffffff, 0xffffffff, 0x7f800000, 0xff800000])
  const given = new Float32Array(bits.buffer)
  const identity: SparseMatrix = {
    rows: 4,
    columns: 4,
    rowOffsets: BigInt64Array.of(0n, 1n, 2n, 3n, 4n),
    columnIndices: Int32Array.of(0, 1, 2, 3),
    values: Float32Array.of(1, 1, 1, 1),
  }
  for (const instructionSet of instructionSets()) {
    const out = spmm(identity, given, { instructionSet, precision: 'bfloat16' })
    t.strictSame([...out], [Number.NaN, Number.NaN, Infinity, -Infinity], instructionSet)
  }
  t.end()
})

t.test('empty and full rows by hand; out is used and returned', { skip: noAddon }, (t) => {
  const out = new Float32Array(6)
  t.equal(spmm(hand, Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40), { out }), out)
  t.strictSame(out, Float32Array.of(30, 300, 0, 0, -15, -150))
  t.strictSame(spmmTransposed(hand, Float32Array.of(1, 7, 2)), Float32Array.of(1, 2, -7, 4))
  t.strictSame(
    sddmm(hand, Float32Array.of(2, 7, 3), Float32Array.of(1, 2, 3, 4)),
    Float32Array.of(2, 4, 6, 8, 9),
  )
  t.end()
})

t.test('transpose twice is the matrix itself', { skip: noAddon }, (t) => {
  t.strictSame(transpose(hand), {
    rows: 4,
    columns: 3,
    block: [1, 1],
    rowOffsets: BigInt64Array.of(0n, 1n, 2n, 4n, 5n),
    columnIndices: Int32Array.of(0, 0, 0, 2, 0),
    values: Float32Array.of(1, 2, 3, -5, 4),
  })
  const matrix = randomMatrix(33, 47, [4, 2], 40)
  t.strictSame(transpose(matrix).block, [2, 4])
  t.strictSame(transpose(transpose(matrix)), matrix)
  t.end()
})

t.test('growth goes where the gradient is largest and nothing is yet', { skip: noAddon }, (t) => {
  // gradient x transpose(input) is the outer product: rows 1, -3, 2 times columns 1, 4, 2, 3.
  const grow = (count: number) =>
    growByGradient(hand, Float32Array.of(1, -3, 2), Float32Array.of(1, 4, 2, 3), count)
  t.strictSame(grow(1), BigInt64Array.of(5n))
  t.strictSame(grow(3), BigInt64Array.of(5n, 7n, 9n))
  t.strictSame(grow(0), new BigInt64Array(0))
  t.strictSame(grow(7), BigInt64Array.of(4n, 5n, 6n, 7n, 8n, 9n, 11n), 'every free position')
  t.throws(() => grow(8), { code: option })
  t.end()
})

t.test('random growth takes distinct free positions, the same for the same seed', { skip: noAddon }, (t) => {
  const free = [4n, 5n, 6n, 7n, 8n, 9n, 11n]
  t.strictSame([...growAtRandom(hand, 7)], free)
  const three = growAtRandom(hand, 3, { seed: 1 })
  t.equal(new Set(three).size, 3)
  t.ok([...three].every((position) => free.includes(position)))
  t.strictSame(growAtRandom(hand, 3, { seed: 1 }), three)
  const draws = new Set(
    [...Array(20).keys()].map((stream) => growAtRandom(hand, 3, { seed: 1, stream }).join()),
  )
  t.ok(draws.size > 5, 'streams differ')
  t.throws(() => growAtRandom(hand, 8), { code: option })
  t.end()
})

t.test('pruning by magnitude and by sign', { skip: noAddon }, (t) => {
  const matrix = { ...hand, values: Float32Array.of(0.5, -2, 3, -0.25, 1) }
  t.strictSame(prune(matrix, 2), Int32Array.of(0, 3))
  t.strictSame(prune(matrix, 0), new Int32Array(0))
  t.strictSame(pruneBySign({ ...hand, values: Float32Array.of(1, -4, 2, -3, 8) }, 0.5), Int32Array.of(0, 3))
  t.throws(() => prune(matrix, 6), { code: option })
  t.end()
})

t.test('a random pattern has exactly the entries asked for, sorted and distinct', { skip: noAddon }, (t) => {
  const { rowOffsets, columnIndices } = randomPattern({
    rows: 10,
    columns: 9,
    block: '4x2',
    blocks: 11,
    seed: 3,
  })
  t.equal(rowOffsets.length, 4)
  t.equal(rowOffsets[3], 11n)
  for (let row = 0; row < 3; row++) {
    const columns = columnIndices.slice(Number(rowOffsets[row]), Number(rowOffsets[row + 1]))
    t.strictSame(
      [...columns],
      [...new Set(columns)].sort((a, b) => a - b),
    )
    t.ok(columns.every((column) => column >= 0 && column < 5))
  }
  t.throws(() => randomPattern({ rows: 2, columns: 2, blocks: 5 }), { code: option })
  t.end()
})

t.test('connections of each layer', { skip: noAddon }, (t) => {
  const net = [
    [784, 300],
    [300, 100],
    [100, 10],
  ] as const
  const [first, second, third] = layerConnections(net)
  t.ok(Math.abs(first! / (784 * 300) - 0.0795678) < 1e-5)
  t.ok(Math.abs(second! / (300 * 100) - 0.2301887) < 1e-4)
  t.equal(third, 1000)
  t.strictSame(layerConnections(net, { sparsity: 0.5, topology: uniform() }), [117600, 15000, 500])
  const [only] = layerConnections([[1000, 1000]], { topology: epsilon(20) })
  t.ok(Math.abs(only! - 40000) <= 1)
  t.end()
})

const lie = (change: object) => ({ ...hand, ...change }) as SparseMatrix
const ones = new Float32Array(4)
const detached = (() => {
  const array = new Float32Array(4)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
})()

/** What TypeScript refuses, before the addon is asked. */
const refused: [what: () => unknown, message: string | RegExp][] = [
  [
    () => spmm(lie({ rows: 0 }), ones),
    /^spmm: option "matrix.rows" is 0; allowed: a whole number, 1 <= rows/,
  ],
  [
    () => spmm(lie({ colums: 4 }), ones),
    /^spmm: unknown option "matrix.colums"; did you mean "matrix.columns"\?/,
  ],
  [() => spmm(undefined as never, ones), /^spmm: option "matrix" is missing/],
  [() => spmm(lie({ values: [1] }), ones), /^spmm: option "matrix.values" is \[1\]; allowed: a Float32Array/],
  [
    () => spmm(lie({ rowOffsets: new Int32Array(4) }), ones),
    /option "matrix.rowOffsets" is of class Int32Array; allowed: a BigInt64Array/,
  ],
  [() => spmm(hand, [1] as never), /^spmm: option "input" is \[1\]; allowed: a Float32Array/],
  [
    () => spmm(hand, new Float32Array(5)),
    'spmm: input has length 5; allowed: columns x batch, a multiple of 4',
  ],
  [() => spmm(hand, detached), 'spmm: input has length 0; allowed: columns x batch, a multiple of 4'],
  [() => spmm(hand, ones, { out: ones }), 'spmm: out has length 4; allowed: rows x batch = 3'],
  [() => spmm(hand, ones, { threads: 0 }), /^spmm: option "threads" is 0/],
  [
    () => spmm(hand, ones, { instructionSet: 'sse' as never }),
    /^spmm: option "instructionSet" is "sse"; allowed: baseline/,
  ],
  [() => sddmm(hand, new Float32Array(6), ones), 'sddmm: gradient has a batch of 2, input one of 1'],
  [() => growAtRandom(hand, -1), /^growAtRandom: option "count" is -1/],
  [() => prune(hand, 1.5), /^prune: option "count" is 1.5/],
  [() => pruneBySign(hand, 2), /^pruneBySign: option "fraction" is 2; allowed: 0 <= fraction <= 1/],
  [() => randomPattern({ rows: 1, columns: 1 } as never), /^randomPattern: option "blocks" is missing/],
  [
    () => layerConnections([[1]] as never),
    /^layerConnections: option "sizes\[0\]" is \[1\]; allowed: \[inputs, outputs\]/,
  ],
]

t.test('wrong arguments are named', (t) => {
  for (const [what, message] of refused) t.throws(what, { code: option, message }, String(message))
  t.end()
})

/** What the addon refuses before it touches memory. */
const lies: [name: string, matrix: SparseMatrix][] = [
  ['too few offsets', lie({ rowOffsets: BigInt64Array.of(0n, 4n, 5n) })],
  ['offsets that fall', lie({ rowOffsets: BigInt64Array.of(0n, 4n, 3n, 5n) })],
  ['offsets that begin late', lie({ rowOffsets: BigInt64Array.of(1n, 4n, 4n, 5n) })],
  ['offsets beyond the entries', lie({ rowOffsets: BigInt64Array.of(0n, 4n, 4n, 2n ** 62n) })],
  ['offsets below zero', lie({ rowOffsets: BigInt64Array.of(0n, -4n, 4n, 5n) })],
  ['a column too large', lie({ columnIndices: Int32Array.of(0, 1, 2, 4, 2) })],
  ['a column below zero', lie({ columnIndices: Int32Array.of(-1, 1, 2, 3, 2) })],
  ['columns out of order', lie({ columnIndices: Int32Array.of(0, 2, 1, 3, 2) })],
  ['a column twice', lie({ columnIndices: Int32Array.of(0, 1, 1, 3, 2) })],
  ['too few values', lie({ values: new Float32Array(4) })],
  ['values of another block', lie({ block: [2, 2] })],
]

t.test('a matrix that lies is refused by every operation', { skip: noAddon }, (t) => {
  for (const [name, matrix] of lies) {
    const gradient = new Float32Array(3)
    for (const call of [
      () => spmm(matrix, ones),
      () => spmmTransposed(matrix, gradient),
      () => sddmm(matrix, gradient, ones),
      () => transpose(matrix),
      () => growByGradient(matrix, gradient, ones, 1),
      () => growAtRandom(matrix, 1),
      () => prune(matrix, 1),
      () => pruneBySign(matrix, 0.5),
    ]) {
      t.throws(call, { code: /^ERR_ESPALIER_(OPTION|DATA)$/ }, `${name}: ${call}`)
    }
  }
  t.end()
})

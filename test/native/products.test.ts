import t from 'tap'
import type { NativeMatrix } from '../../lib/native/kernels-surface.js'
import type { InstructionSet } from '../../lib/native/surface.js'
import { floats, kernels, matrixAt, places, raggedMatrix, random, system } from './support.js'

/** float64 references: out[to][b] += weight x input[from][b], and the sums of magnitudes that bound the error. */
function reference(matrix: NativeMatrix, input: Float32Array, batch: number, transposed: boolean) {
  const rows = transposed ? matrix.columns : matrix.rows
  const sums = new Float64Array(rows * batch)
  const scale = new Float64Array(rows * batch)
  places(matrix).forEach(({ row, column, real }, index) => {
    if (!real) return
    const [to, from] = transposed ? [column, row] : [row, column]
    const weight = matrix.values[index]!
    for (let b = 0; b < batch; b++) {
      const product = weight * input[from * batch + b]!
      sums[to * batch + b]! += product
      scale[to * batch + b]! += Math.abs(product)
    }
  })
  return { sums, scale }
}

function sampledReference(matrix: NativeMatrix, gradient: Float32Array, input: Float32Array, batch: number) {
  const sums = new Float64Array(matrix.values.length)
  const scale = new Float64Array(matrix.values.length)
  places(matrix).forEach(({ row, column, real }, index) => {
    if (!real) return
    for (let b = 0; b < batch; b++) {
      const product = gradient[row * batch + b]! * input[column * batch + b]!
      sums[index]! += product
      scale[index]! += Math.abs(product)
    }
  })
  return { sums, scale }
}

/** Largest error as a multiple of what float32 sums of these magnitudes may show. */
function worst(out: Float32Array, { sums, scale }: { sums: Float64Array; scale: Float64Array }): number {
  let result = 0
  for (let i = 0; i < out.length; i++) {
    const error = Math.abs(out[i]! - sums[i]!) / (2 ** -20 * scale[i]! + 1e-12)
    if (!(error <= result)) result = error
  }
  return result
}

const batches = [1, 16, 17, 64, 128, 130]
/** Those that make strides which kernels know too. */
const moreBatches = [48, 80, 96, 112]
const batchesOf = (rows: number) => (rows === 67 ? [...batches, ...moreBatches] : batches)
const blocks: [number, number][] = [
  [1, 1],
  [4, 1],
  [1, 4],
  [4, 4],
  [8, 8],
  [16, 16],
  [3, 2],
]
/** Sizes that do not divide, rows and columns long enough to have inputs asked for ahead, one row, one column. */
const sizes: [number, number][] = [
  [67, 45],
  [130, 142],
  [1, 50],
  [50, 1],
  [64, 48],
]

for (const instructionSet of system().instructionSets) {
  for (const block of blocks) {
    t.test(`${instructionSet}, blocks of ${block.join(' x ')}`, async (t) => {
      for (const [rows, columns] of sizes) {
        const matrix = raggedMatrix(rows, columns, block, 0.3, rows + columns)
        for (const batch of batchesOf(rows)) {
          const draw = random(batch)
          const input = floats(columns * batch, draw)
          const gradient = floats(rows * batch, draw)
          const name = `${rows} x ${columns}, batch ${batch}`

          // What was in the result before must not matter.
          const forward = new Float32Array(rows * batch).fill(Number.NaN)
          kernels.spmm(matrix, input, batch, forward, 1, instructionSet, 'float32')
          t.ok(worst(forward, reference(matrix, input, batch, false)) <= 1, `spmm ${name}`)

          const backward = new Float32Array(columns * batch).fill(Number.NaN)
          kernels.spmmTransposed(matrix, gradient, batch, backward, 1, instructionSet, 'float32')
          t.ok(worst(backward, reference(matrix, gradient, batch, true)) <= 1, `spmmTransposed ${name}`)

          const weights = new Float32Array(matrix.values.length).fill(Number.NaN)
          kernels.sddmm(matrix, gradient, input, batch, weights, 1, instructionSet, 'float32')
          t.ok(worst(weights, sampledReference(matrix, gradient, input, batch)) <= 1, `sddmm ${name}`)
        }
      }
    })
  }
}

const bytes = ({ buffer }: Float32Array) => Buffer.from(buffer)

// 600 x 500 has layers as a network has them, more than one panel, and fan-outs of every kind of group. Of the last two
// the output gradients are walked in chunks; the very last has more gradients than are kept.
const backwardCases = [
  ...sizes.map(([rows, columns]) => [rows, columns, 0.3, [...batchesOf(rows), 300]] as const),
  [600, 500, 0.05, [...batches, 300]],
  [3000, 60, 0.3, [128]],
  [1300, 999, 0.42, [150, 260]],
] as const
const backwardMatrices = backwardCases.map(([rows, columns, density]) =>
  raggedMatrix(rows, columns, [1, 1], density, rows + columns),
)

for (const instructionSet of system().instructionSets) {
  t.test(`${instructionSet}, both products of the backward pass at once`, async (t) => {
    for (const [i, [rows, columns, , batches]] of backwardCases.entries()) {
      const matrix = backwardMatrices[i]!
      for (const batch of batches) {
        const draw = random(batch)
        const input = floats(columns * batch, draw)
        const gradient = floats(rows * batch, draw)
        // In bfloat16 such a one goes no way of its own.
        for (const precision of rows === 1300 ? (['float32'] as const) : (['float32', 'bfloat16'] as const)) {
          const backward = new Float32Array(columns * batch)
          const weights = new Float32Array(matrix.values.length)
          kernels.spmmTransposed(matrix, gradient, batch, backward, 1, instructionSet, precision)
          kernels.sddmm(matrix, gradient, input, batch, weights, 1, instructionSet, precision)
          for (const threads of [1, 3]) {
            const both = [new Float32Array(backward.length), new Float32Array(weights.length)] as const
            for (const each of both) each.fill(Number.NaN)
            kernels.backward(matrix, gradient, input, batch, ...both, threads, instructionSet, precision)
            const name = `${rows} x ${columns}, batch ${batch}, ${threads} threads, ${precision}`
            // Compared as bytes: element by element would take seconds.
            const same = [backward, weights].map((expected, k) => bytes(expected).equals(bytes(both[k]!)))
            t.strictSame(same, [true, true], name)
          }
        }
      }
    }
  })
}

t.test('both products at once are for single weights', async (t) => {
  const matrix = raggedMatrix(8, 8, [4, 1], 0.5, 1)
  const panel = new Float32Array(8)
  t.throws(
    () =>
      kernels.backward(
        matrix,
        panel,
        panel,
        1,
        panel,
        new Float32Array(matrix.values.length),
        1,
        null,
        'float32',
      ),
    { code: 'ERR_ESPALIER_OPTION', message: /1 x 1 alone/ },
  )
})

/**
 * Inputs that do not stay in the second cache are walked in chunks, and so are those of rows with many that do not stay
 * in the first, some rows at a time; many weights get wider panels.
 */
const wide: [number, number, [number, number], number, number][] = [
  [9, 26000, [1, 1], 0.01, 3],
  [26000, 9, [1, 1], 0.01, 3],
  [9001, 37, [4, 4], 0.2, 33],
  [37, 9001, [8, 8], 0.2, 33],
  [64, 9000, [1, 1], 0.95, 130],
  [3000, 60, [1, 1], 0.4, 128],
  [1100, 300, [1, 1], 0.3, 130],
  [1100, 300, [1, 4], 0.3, 130],
]

for (const [rows, columns, block, density, batch] of wide) {
  t.test(`${rows} x ${columns} in blocks of ${block.join(' x ')}, batch ${batch}`, async (t) => {
    const matrix = raggedMatrix(rows, columns, block, density, 5)
    const draw = random(6)
    const input = floats(columns * batch, draw)
    const gradient = floats(rows * batch, draw)
    const all = (threads: number, instructionSet: InstructionSet | null) => {
      const forward = new Float32Array(rows * batch).fill(Number.NaN)
      const backward = new Float32Array(columns * batch).fill(Number.NaN)
      const weights = new Float32Array(matrix.values.length).fill(Number.NaN)
      kernels.spmm(matrix, input, batch, forward, threads, instructionSet, 'float32')
      kernels.spmmTransposed(matrix, gradient, batch, backward, threads, instructionSet, 'float32')
      kernels.sddmm(matrix, gradient, input, batch, weights, threads, instructionSet, 'float32')
      return [forward, backward, weights] as const
    }
    const references = [
      reference(matrix, input, batch, false),
      reference(matrix, gradient, batch, true),
      sampledReference(matrix, gradient, input, batch),
    ]
    for (const instructionSet of system().instructionSets) {
      const results = all(1, instructionSet)
      for (const [i, result] of results.entries()) {
        t.ok(worst(result, references[i]!) <= 1, `${instructionSet}, ${i}`)
      }
    }
    const alone = all(1, null)
    for (const [i, result] of all(3, null).entries()) {
      t.same(Buffer.from(result.buffer), Buffer.from(alone[i]!.buffer))
    }
  })
}

t.test('results are the same bits on any number of threads', async (t) => {
  for (const block of blocks) {
    const matrix = raggedMatrix(67, 45, block, 0.2, 8)
    for (const batch of [1, 70, 130]) {
      const draw = random(batch)
      const input = floats(45 * batch, draw)
      const gradient = floats(67 * batch, draw)
      const all = (threads: number) => {
        const forward = new Float32Array(67 * batch)
        const backward = new Float32Array(45 * batch)
        const weights = new Float32Array(matrix.values.length)
        kernels.spmm(matrix, input, batch, forward, threads, null, 'float32')
        kernels.spmmTransposed(matrix, gradient, batch, backward, threads, null, 'float32')
        kernels.sddmm(matrix, gradient, input, batch, weights, threads, null, 'float32')
        return [forward, backward, weights]
      }
      const alone = all(1)
      for (const threads of [2, 3, 7])
        t.same(all(threads), alone, `${block} batch ${batch} threads ${threads}`)
    }
  }
})

t.test('and where they take over rows from each other, as they do of large products', async (t) => {
  const batch = 256
  for (const block of blocks) {
    const matrix = raggedMatrix(390, 341, block, 0.3, 8)
    const draw = random(5)
    const input = floats(341 * batch, draw)
    const gradient = floats(390 * batch, draw)
    for (const precision of ['float32', 'bfloat16'] as const) {
      const all = (threads: number) => {
        const forward = new Float32Array(390 * batch)
        const backward = new Float32Array(341 * batch)
        const weights = new Float32Array(matrix.values.length)
        kernels.spmm(matrix, input, batch, forward, threads, null, precision)
        kernels.spmmTransposed(matrix, gradient, batch, backward, threads, null, precision)
        kernels.sddmm(matrix, gradient, input, batch, weights, threads, null, precision)
        return [forward, backward, weights].map((result) => Buffer.from(result.buffer))
      }
      const alone = all(1)
      // More than the processors of most machines, so that some are late.
      for (const threads of [2, 3, 5])
        for (const [i, result] of all(threads).entries())
          t.ok(result.equals(alone[i]!), `${block} ${precision}, product ${i}, ${threads} threads`)
    }
  }
})

t.test('a matrix without any connection gives zeros', async (t) => {
  const matrix = matrixAt(5, 6, [4, 4], [])
  const out = new Float32Array(5 * 3).fill(7)
  kernels.spmm(matrix, new Float32Array(18).fill(1), 3, out, 2, null, 'float32')
  t.same(out, new Float32Array(15))
  const back = new Float32Array(18).fill(7)
  kernels.spmmTransposed(matrix, new Float32Array(15).fill(1), 3, back, 2, null, 'float32')
  t.same(back, new Float32Array(18))
  kernels.sddmm(matrix, new Float32Array(15), new Float32Array(18), 3, new Float32Array(), 2, null, 'float32')
})

t.test('transposing twice gives the same matrix, and both views agree', async (t) => {
  for (const block of blocks) {
    const matrix = raggedMatrix(67, 45, block, 0.3, 4)
    const turned: NativeMatrix = {
      rows: matrix.columns,
      columns: matrix.rows,
      block: [block[1], block[0]],
      ...kernels.transpose(matrix),
    }
    const key = ({ row, column }: { row: number; column: number }) => row * 1000 + column
    const direct = new Map(places(matrix).map((place, i) => [key(place), matrix.values[i]!]))
    const swapped = places(turned).map(({ row, column }, i) => [
      key({ row: column, column: row }),
      turned.values[i]!,
    ])
    t.same(
      new Map(swapped.sort((a, b) => a[0]! - b[0]!) as [number, number][]),
      new Map([...direct].sort((a, b) => a[0] - b[0])),
    )
    const again = kernels.transpose(turned)
    t.same(again.rowOffsets, matrix.rowOffsets)
    t.same(again.columnIndices, matrix.columnIndices)
    t.same(again.values, matrix.values)
    // The transposed product of one is the product of the other.
    const input = floats(67 * 20, random(3))
    const a = new Float32Array(45 * 20)
    const b = new Float32Array(45 * 20)
    kernels.spmmTransposed(matrix, input, 20, a, 1, null, 'float32')
    kernels.spmm(turned, input, 20, b, 1, null, 'float32')
    t.same(a, b, `${block}`)
  }
})

t.test('an instruction set that this machine cannot run is an error', async (t) => {
  const matrix = matrixAt(2, 2, [1, 1], [0])
  const foreign = (['neon', 'avx2'] as const).find((name) => !system().instructionSets.includes(name))
  if (foreign === undefined) return t.pass('this machine runs them all')
  t.throws(() => kernels.spmm(matrix, new Float32Array(2), 1, new Float32Array(2), 1, foreign, 'float32'), {
    code: 'ERR_ESPALIER_OPTION',
    message: new RegExp(foreign),
  })
})

import * as fc from 'fast-check'
import t from 'tap'
import type { NativeMatrix } from '../../lib/native/kernels-surface.js'
import { blockColumns, floats, kernels, matrixAt, matrixOf, positions, random } from './support.js'

const numbers = (list: BigInt64Array) => Array.from(list, Number)

/** A grid, a block shape and some of its positions. */
const anyMatrix = fc
  .record({
    rows: fc.integer({ min: 1, max: 40 }),
    columns: fc.integer({ min: 1, max: 40 }),
    block: fc.constantFrom<[number, number]>([1, 1], [4, 1], [3, 2], [4, 4]),
    seed: fc.nat(),
    density: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ rows, columns, block, seed, density }) => {
    const draw = random(seed)
    const size = Math.ceil(rows / block[0]) * Math.ceil(columns / block[1])
    const at = Array.from({ length: size }, (_, i) => i).filter(() => draw() * 100 < density)
    return matrixAt(rows, columns, block, at, draw)
  })

function freePositions(matrix: NativeMatrix): number[] {
  const taken = new Set(positions(matrix))
  const size = Math.ceil(matrix.rows / matrix.block[0]) * blockColumns(matrix)
  return Array.from({ length: size }, (_, i) => i).filter((i) => !taken.has(i))
}

t.test('random growth: ascending, distinct, free positions, exactly so many', async () => {
  fc.assert(
    fc.property(anyMatrix, fc.nat(), fc.nat(), (matrix, some, seed) => {
      const free = freePositions(matrix)
      const count = some % (free.length + 1)
      const grown = numbers(kernels.growAtRandom(matrix, count, seed, 0))
      const allowed = new Set(free)
      return grown.length === count && grown.every((p, i) => allowed.has(p) && (i === 0 || grown[i - 1]! < p))
    }),
  )
})

t.test('random growth fills up every free position', async (t) => {
  const matrix = matrixAt(6, 5, [1, 1], [0, 1, 7, 13, 28, 29])
  t.same(numbers(kernels.growAtRandom(matrix, 24, 5, 0)), freePositions(matrix))
})

t.test('random growth follows its seed and stream', async (t) => {
  const matrix = matrixAt(30, 30, [1, 1], [3, 5, 8])
  const grow = (seed: number, stream: number) => numbers(kernels.growAtRandom(matrix, 40, seed, stream))
  t.same(grow(1, 2), grow(1, 2))
  t.notSame(grow(1, 2), grow(2, 2))
  t.notSame(grow(1, 2), grow(1, 3))
})

t.test('random growth is uniform over the free positions', async (t) => {
  const matrix = matrixAt(8, 8, [1, 1], [0, 1, 2, 3, 20, 40, 41, 63])
  const free = freePositions(matrix)
  const hits = new Map(free.map((position) => [position, 0]))
  // 560 draws of 10 of 56: each is expected 100 times with a deviation of 9.1.
  for (let seed = 0; seed < 560; seed++) {
    for (const position of numbers(kernels.growAtRandom(matrix, 10, seed, 0))) {
      hits.set(position, hits.get(position)! + 1)
    }
  }
  const counts = [...hits.values()]
  t.ok(
    Math.min(...counts) > 55 && Math.max(...counts) < 145,
    `${Math.min(...counts)} to ${Math.max(...counts)}`,
  )
})

t.test('growth by gradient, worked out by hand', async (t) => {
  const matrix = matrixOf([
    [null, 1, null],
    [1, null, null],
  ])
  // gradient x transpose(input), batch 2: row 0 = (1, 0), row 1 = (0, 2); inputs (3, 1), (9, 9), (-4, 2).
  //   row 0:  3  [9]  -4
  //   row 1: [2]  18   4
  const gradient = Float32Array.of(1, 0, 0, 2)
  const input = Float32Array.of(3, 1, 9, 9, -4, 2)
  const grow = (count: number) => numbers(kernels.growByGradient(matrix, gradient, input, 2, count, 1))
  t.same(grow(0), [])
  t.same(grow(1), [4])
  // -4 and 4 are equal: the smaller position is first.
  t.same(grow(2), [2, 4])
  t.same(grow(3), [2, 4, 5])
  t.same(grow(4), [0, 2, 4, 5])
})

t.test('growth by gradient of blocks goes by the sum of squares', async (t) => {
  const matrix = matrixAt(2, 6, [2, 2], [])
  // Batch 1: the products are row x column. Rows (1, 1); columns (3, 0), (2, 2), (2.9, 0.5).
  const gradient = Float32Array.of(1, 1)
  const input = Float32Array.of(3, 0, 2, 2, 2.9, 0.5)
  t.same(numbers(kernels.growByGradient(matrix, gradient, input, 1, 1, 1)), [0])
  t.same(numbers(kernels.growByGradient(matrix, gradient, input, 1, 2, 1)), [0, 2])
})

t.test('a gradient of zeros grows the first free positions', async (t) => {
  const matrix = matrixAt(20, 300, [1, 1], [1, 2, 5])
  const grown = kernels.growByGradient(matrix, new Float32Array(20), new Float32Array(300), 1, 5000, 2)
  t.same(numbers(grown), freePositions(matrix).slice(0, 5000))
})

t.test('NaN never grows, and where nothing else is left growth is an error', async (t) => {
  const matrix = matrixAt(1, 5, [1, 1], [])
  const input = Float32Array.of(Number.NaN, 1, Number.NaN, 0, 2)
  const grow = (count: number) =>
    numbers(kernels.growByGradient(matrix, Float32Array.of(1), input, 1, count, 1))
  t.same(grow(2), [1, 4])
  t.same(grow(3), [1, 3, 4])
  t.throws(() => grow(4), { code: 'ERR_ESPALIER_DIVERGED' })
})

/** Small whole numbers, so that float32 sums are exact and ties abound. */
function wholeNumbers(length: number, draw: () => number): Float32Array {
  return Float32Array.from({ length }, () => Math.floor(draw() * 7) - 3)
}

t.test('growth by gradient equals a full sort, on any number of threads', async () => {
  fc.assert(
    fc.property(
      anyMatrix,
      fc.constantFrom(1, 3, 16, 130),
      fc.nat(),
      fc.nat(),
      (matrix, batch, some, seed) => {
        const draw = random(seed)
        const gradient = wholeNumbers(matrix.rows * batch, draw)
        const input = wholeNumbers(matrix.columns * batch, draw)
        const free = freePositions(matrix)
        const count = some % (free.length + 1)
        const size = new Map(
          free.map((position) => [position, norm(matrix, gradient, input, batch, position)]),
        )
        const expected = free
          .sort((a, b) => size.get(b)! - size.get(a)! || a - b)
          .slice(0, count)
          .sort((a, b) => a - b)
        return [1, 3].every((threads) => {
          const grown = numbers(kernels.growByGradient(matrix, gradient, input, batch, count, threads))
          return grown.length === count && grown.every((position, i) => position === expected[i])
        })
      },
    ),
    { numRuns: 60 },
  )
})

/** The sum of squares of a block of gradient x transpose(input); padding adds nothing. */
function norm(
  matrix: NativeMatrix,
  gradient: Float32Array,
  input: Float32Array,
  batch: number,
  position: number,
): number {
  const [height, width] = matrix.block
  const firstRow = Math.floor(position / blockColumns(matrix)) * height
  const firstColumn = (position % blockColumns(matrix)) * width
  let sum = 0
  for (let row = firstRow; row < Math.min(firstRow + height, matrix.rows); row++) {
    for (let column = firstColumn; column < Math.min(firstColumn + width, matrix.columns); column++) {
      let product = 0
      for (let b = 0; b < batch; b++) product += gradient[row * batch + b]! * input[column * batch + b]!
      sum += product * product
    }
  }
  return sum
}

t.test('more candidates than the buffer holds still give the best', async (t) => {
  // 300 x 200 positions against a buffer of 4096 candidates.
  const matrix = matrixAt(300, 200, [1, 1], [7])
  const draw = random(2)
  const gradient = floats(300, draw)
  const input = floats(200, draw)
  const free = freePositions(matrix)
  const size = (position: number) =>
    Math.abs(Math.fround(gradient[Math.floor(position / 200)]! * input[position % 200]!))
  const expected = free
    .sort((a, b) => size(b) - size(a) || a - b)
    .slice(0, 2500)
    .sort((a, b) => a - b)
  for (const threads of [1, 2, 5]) {
    t.same(numbers(kernels.growByGradient(matrix, gradient, input, 1, 2500, threads)), expected)
  }
})

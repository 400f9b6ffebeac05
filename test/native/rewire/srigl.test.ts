import * as fc from 'fast-check'
import t from 'tap'
import type { NativeMatrix } from '../../../lib/native/kernels-surface.js'
import { blockColumns, floats, kernels, matrixAt, matrixOf, positions, random } from '../support.js'

const numbers = (list: BigInt64Array) => Array.from(list, Number)

const plan = {
  fraction: 1 / 3,
  minimumSalient: 0.3,
  budget: 6,
  group: 1,
  leastLiving: 1,
  emptyColumns: [] as boolean[],
}

const three = matrixOf([
  [5, 4, null, null, null],
  [3, null, -2, null, null],
  [null, 0.1, null, 0.2, null],
])
// What has a weight is 0, since it plays no part.
const gradient = Float32Array.of(...[0, 0, 2, -1, 9], ...[0, 3, 0, 1, -8], ...[0.5, 0, -0.6, 0, 0.2])

t.test('a neuron without salient weights is removed, and the others grow', async (t) => {
  // Two of six move. The smallest are both of neuron 2, and the two largest gradients those of neurons 0 and 1.
  const move = kernels.srigl(three, gradient, plan)
  t.same([...move.removed], [2])
  t.same([...move.dropped], [4, 5])
  t.same(numbers(move.grown), [4, 9])
})

t.test('so many live as must', async (t) => {
  t.same([...kernels.srigl(three, gradient, { ...plan, leastLiving: 3 }).removed], [])
  t.same([...kernels.srigl(three, gradient, { ...plan, leastLiving: 2 }).removed], [2])
})

t.test('without removal every neuron keeps its fan-in', async (t) => {
  const move = kernels.srigl(three, gradient, { ...plan, minimumSalient: 0 })
  t.same([...move.removed], [])
  t.same([...move.dropped], [4, 5])
  // Neuron 2 grows where its own gradient is largest.
  t.same(numbers(move.grown), [10, 12])
})

t.test('what is dropped may return', async (t) => {
  const back = Float32Array.from(gradient)
  back[13] = 7
  const move = kernels.srigl(three, back, { ...plan, minimumSalient: 0 })
  t.same([...move.dropped], [4, 5])
  t.same(numbers(move.grown), [12, 13])
})

t.test('a larger gradient saves a neuron', async (t) => {
  const saved = Float32Array.from(gradient)
  saved[14] = 8.5
  const move = kernels.srigl(three, saved, plan)
  t.same([...move.removed], [])
  t.same(numbers(move.grown), [12, 14])
})

t.test('columns of removed neurons become empty', async (t) => {
  // Column 0 loses a weight of neurons 0 and 1, which are the two that move.
  const move = kernels.srigl(three, gradient, {
    ...plan,
    minimumSalient: 0,
    emptyColumns: [true, false, false, false, false],
  })
  t.same([...move.dropped], [0, 2])
  t.same(numbers(move.grown), [4, 9])
})

t.test('so many neurons live that the budget finds room', async (t) => {
  const full = matrixOf([
    [1, 2, null],
    [3, 4, null],
    [5, 6, null],
  ])
  const steep = Float32Array.of(0, 0, 0, 0, 0, 1, 0, 0, 2)
  // Neuron 0 has nothing salient, and six weights find room in two rows of three.
  const move = kernels.srigl(full, steep, plan)
  t.same([...move.removed], [0])
  t.same([...move.dropped], [0, 1])
  t.same(numbers(move.grown), [5, 8])
  const none = kernels.srigl(full, steep, { ...plan, budget: 8 })
  t.same([...none.removed], [], 'eight need all three rows')
})

t.test('a pattern whose fan-in is not constant', async (t) => {
  const uneven = matrixOf([
    [1, 2, 3],
    [1, null, null],
  ])
  t.throws(() => kernels.srigl(uneven, new Float32Array(6), { ...plan, budget: 4 }), {
    message: 'srigl needs neurons of one fan-in in every sparse layer; begin with topology constantFanIn()',
  })
})

/** A pattern of one fan-in to within one, some of whose rows may be removed ones. */
const anyLayer = fc
  .record({
    rows: fc.integer({ min: 1, max: 20 }),
    columns: fc.integer({ min: 2, max: 20 }),
    block: fc.constantFrom<[number, number]>([1, 1], [4, 1], [2, 3]),
    seed: fc.nat(),
    share: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
    fraction: fc.double({ min: 0, max: 1, noNaN: true }),
    minimumSalient: fc.constantFrom(0, 0.3, 0.9),
    dead: fc.boolean(),
    empty: fc.boolean(),
    group: fc.constantFrom(1, 1, 2),
  })
  .map(({ rows, columns, block, seed, share, dead, empty, ...rest }) => {
    const draw = random(seed)
    const height = Math.ceil(rows / block[0])
    const width = Math.ceil(columns / block[1])
    const fanIn = Math.max(1, Math.floor(share * (width - 1)))
    const at: number[] = []
    for (let row = 0; row < height; row++) {
      if (dead && row > 0 && Math.floor(row / rest.group) % 3 === 1) continue
      const order = Array.from({ length: width }, (_, i) => ({ i, key: draw() })).sort(
        (a, b) => a.key - b.key,
      )
      const count = fanIn + (row % 4 === 0 && fanIn < width ? 1 : 0)
      for (const { i } of order.slice(0, count)) at.push(row * width + i)
    }
    const emptyColumns = Array.from({ length: width }, (_, i) => empty && width > 1 && i % 3 === 1)
    return {
      matrix: matrixAt(rows, columns, block, at, draw),
      gradient: floats(rows * columns, draw),
      options: { ...rest, leastLiving: 1, budget: at.length, emptyColumns: empty ? emptyColumns : [] },
    }
  })

function fanIns(matrix: NativeMatrix, entries: readonly number[]): number[] {
  const counts = new Array<number>(matrix.rowOffsets.length - 1).fill(0)
  for (const position of entries) counts[Math.floor(position / blockColumns(matrix))]!++
  return counts
}

t.test('fan-in stays constant, the budget exact, and the dead stay dead', async () => {
  fc.assert(
    fc.property(anyLayer, ({ matrix, gradient, options }) => {
      const width = blockColumns(matrix)
      const before = positions(matrix)
      const move = kernels.srigl(matrix, gradient, options)
      const dropped = new Set(move.dropped)
      const kept = before.filter((_, entry) => !dropped.has(entry))
      const grown = numbers(move.grown)
      const after = [...kept, ...grown]
      const [was, is] = [fanIns(matrix, before), fanIns(matrix, after)]
      const living = is.flatMap((count, row) => (was[row]! > 0 && !move.removed.includes(row) ? [count] : []))
      const room = living.length * options.emptyColumns.reduce((left, empty) => left - (empty ? 1 : 0), width)
      return (
        new Set(after).size === after.length &&
        grown.every((p, i) => i === 0 || grown[i - 1]! < p) &&
        after.every((p) => options.emptyColumns[p % width] !== true) &&
        after.length === Math.min(options.budget, room) &&
        Math.max(...living) - Math.min(...living) <= 1 &&
        is.every((count, row) => (was[row]! > 0 && !move.removed.includes(row)) || count === 0) &&
        (options.minimumSalient > 0 || move.removed.length === 0)
      )
    }),
    { numRuns: 300 },
  )
})

import * as fc from 'fast-check'
import t from 'tap'
import type { NativeMatrix } from '../../../lib/native/kernels-surface.js'
import { blockColumns, kernels, matrixAt, positions, random } from '../support.js'

const numbers = (list: BigInt64Array) => Array.from(list, Number)

/** Three rows of four columns: 0 1 3, 1 2 and 2. */
const byHand = matrixAt(3, 4, [1, 1], [0, 1, 3, 5, 6, 10])

/** CH3-L3 as its definition says, from the nodes of every path of length three. */
function reference(matrix: NativeMatrix): number[][] {
  const width = blockColumns(matrix)
  const height = matrix.rowOffsets.length - 1
  const links = new Set(positions(matrix))
  const linked = (row: number, column: number) => links.has(row * width + column)
  const rows = Array.from({ length: height }, (_, row) => row)
  const columns = Array.from({ length: width }, (_, column) => column)
  return rows.map((v) =>
    columns.map((u) => {
      const paths = rows.flatMap((y) =>
        y !== v && linked(y, u)
          ? columns.filter((x) => x !== u && linked(v, x) && linked(y, x)).map((x) => ({ y, x }))
          : [],
      )
      const community = { rows: new Set(paths.map(({ y }) => y)), columns: new Set(paths.map(({ x }) => x)) }
      const outsideOfRow = (y: number) =>
        columns.filter((x) => linked(y, x) && x !== u && !community.columns.has(x)).length
      const outsideOfColumn = (x: number) =>
        rows.filter((y) => linked(y, x) && y !== v && !community.rows.has(y)).length
      return paths.reduce(
        (sum, { y, x }) => sum + 1 / Math.sqrt((1 + outsideOfRow(y)) * (1 + outsideOfColumn(x))),
        0,
      )
    }),
  )
}

const anyGraph = fc
  .record({
    rows: fc.integer({ min: 1, max: 12 }),
    columns: fc.integer({ min: 1, max: 12 }),
    block: fc.constantFrom<[number, number]>([1, 1], [2, 3]),
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
  const size = (matrix.rowOffsets.length - 1) * blockColumns(matrix)
  return Array.from({ length: size }, (_, i) => i).filter((i) => !taken.has(i))
}

t.test('scores, worked out by hand', async (t) => {
  const half = Math.SQRT1_2
  const scores = kernels.linkScores(byHand)
  // (0, 2) by way of row 1 and column 1, (2, 1) by row 1 and column 2: no link of either leads outside.
  t.equal(scores[2], 1)
  t.equal(scores[9], 1)
  // (1, 0) and (1, 3) by row 0, which has one link more, and column 1.
  t.ok(Math.abs(scores[4]! - half) < 1e-15)
  t.ok(Math.abs(scores[7]! - half) < 1e-15)
  // No path of length three leads across.
  t.equal(scores[8], 0)
  t.equal(scores[11], 0)
})

t.test('scores are those of the definition', async () => {
  fc.assert(
    fc.property(anyGraph, (matrix) => {
      const scores = kernels.linkScores(matrix)
      const expected = reference(matrix).flat()
      return freePositions(matrix).every((i) => Math.abs(scores[i]! - expected[i]!) <= 1e-12 * expected[i]!)
    }),
    { numRuns: 300 },
  )
})

t.test('CHT takes the largest scores, of equals the smaller position', async (t) => {
  const grow = (count: number) => numbers(kernels.growByLinks(byHand, count, null, 1, 1))
  t.same(grow(0), [])
  t.same(grow(1), [2])
  t.same(grow(2), [2, 9])
  t.same(grow(3), [2, 4, 9])
  t.same(grow(4), [2, 4, 7, 9])
  t.same(grow(6), [2, 4, 7, 8, 9, 11])
})

t.test('where no more links are likely, the rest are drawn', async (t) => {
  const drawn = new Set<number>()
  for (let seed = 0; seed < 30; seed++) {
    const grown = numbers(kernels.growByLinks(byHand, 5, null, seed, 1))
    t.same(
      grown.filter((i) => i !== 8 && i !== 11),
      [2, 4, 7, 9],
    )
    drawn.add(grown.find((i) => i === 8 || i === 11)!)
  }
  t.same(
    [...drawn].sort((a, b) => a - b),
    [8, 11],
  )
})

t.test('CHTs draws in proportion to score^(1 / temperature)', async (t) => {
  for (const [temperature, weak] of [
    [1, Math.SQRT1_2],
    [0.5, 0.5],
    [2, Math.SQRT1_2 ** 0.5],
  ] as const) {
    const hits = new Map([2, 4, 7, 9].map((position) => [position, 0]))
    const draws = 4000
    for (let seed = 0; seed < draws; seed++) {
      const [position] = numbers(kernels.growByLinks(byHand, 1, temperature, seed, 1))
      hits.set(position!, hits.get(position!)! + 1)
    }
    for (const [position, count] of hits) {
      const share = (position === 2 || position === 9 ? 1 : weak) / (2 + 2 * weak)
      const deviation = Math.sqrt(draws * share * (1 - share))
      t.ok(Math.abs(count - draws * share) < 4.5 * deviation, `${position}: ${count} of ${draws * share}`)
    }
  }
})

t.test('links: so many, free, ascending, and the same on any number of threads', async () => {
  fc.assert(
    fc.property(
      anyGraph,
      fc.nat(),
      fc.nat(),
      fc.constantFrom(null, 0.3, 1),
      (matrix, some, seed, temperature) => {
        const free = new Set(freePositions(matrix))
        const count = some % (free.size + 1)
        const grown = numbers(kernels.growByLinks(matrix, count, temperature, seed, 1))
        const other = numbers(kernels.growByLinks(matrix, count, temperature, seed, 3))
        return (
          grown.length === count &&
          grown.every((p, i) => free.has(p) && (i === 0 || grown[i - 1]! < p) && other[i] === p)
        )
      },
    ),
  )
})

t.test('more links than there is room for', async (t) => {
  t.throws(() => kernels.growByLinks(byHand, 7, null, 1, 1), {
    message: 'there are fewer free positions than connections to grow',
  })
})

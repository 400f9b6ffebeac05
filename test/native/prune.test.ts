import * as fc from 'fast-check'
import t from 'tap'
import { kernels, matrixAt, matrixOf } from './support.js'

/** One row of plain CSR with these values. */
function row(values: number[]) {
  return matrixOf([values])
}

t.test('magnitude: the smallest go, whatever their sign', async (t) => {
  //            0    1     2    3     4
  const matrix = row([3, -0.5, 0.25, -4, 1])
  t.same([...kernels.prune(matrix, 0, 'magnitude')], [])
  t.same([...kernels.prune(matrix, 1, 'magnitude')], [2])
  t.same([...kernels.prune(matrix, 3, 'magnitude')], [1, 2, 4])
  t.same([...kernels.prune(matrix, 5, 'magnitude')], [0, 1, 2, 3, 4])
})

t.test('magnitude: of equals the one with the smaller index stays', async (t) => {
  const matrix = row([1, -1, 2, 1, 0, -0, -1])
  t.same([...kernels.prune(matrix, 1, 'magnitude')], [5])
  t.same([...kernels.prune(matrix, 2, 'magnitude')], [4, 5])
  t.same([...kernels.prune(matrix, 3, 'magnitude')], [4, 5, 6])
  t.same([...kernels.prune(matrix, 4, 'magnitude')], [3, 4, 5, 6])
  t.same([...kernels.prune(matrix, 5, 'magnitude')], [1, 3, 4, 5, 6])
})

t.test('magnitude: NaN counts as largest', async (t) => {
  t.same([...kernels.prune(row([Number.NaN, 5, Number.POSITIVE_INFINITY]), 2, 'magnitude')], [1, 2])
})

t.test('blocks: the smallest sum of squares goes', async (t) => {
  const matrix = matrixAt(2, 6, [2, 2], [0, 1, 2])
  matrix.values.set([1, 1, 1, 1, /* 4 */ 3, 0, 0, 0, /* 9 */ 0, -1.5, 1.5, 0 /* 4.5 */])
  t.same([...kernels.prune(matrix, 1, 'magnitude')], [0])
  t.same([...kernels.prune(matrix, 2, 'magnitude')], [0, 2])
  // Equal sums: the later goes.
  matrix.values.set([0, 2, 0, 0, 1, -1, 1, 1, 9, 9, 9, 9])
  t.same([...kernels.prune(matrix, 1, 'magnitude')], [1])
})

t.test('SET: the share of the negatives nearest zero and of the others', async (t) => {
  //                  0   1     2  3    4    5   6    7     8
  const matrix = row([1, -0.1, 2, -3, 0.5, -2, 0.2, -0.3, 4])
  // Four negatives, five others: half of each is 2 and 2.
  t.same([...kernels.pruneBySign(matrix, 0.5)], [1, 4, 6, 7])
  // 0.3: 1.2 -> 1 and 1.5 -> 1.
  t.same([...kernels.pruneBySign(matrix, 0.3)], [1, 6])
  t.same([...kernels.pruneBySign(matrix, 0)], [])
  t.same([...kernels.pruneBySign(matrix, 1)], [0, 1, 2, 3, 4, 5, 6, 7, 8])
})

t.test('SET: zeros are with the positives, and of equals the smaller index stays', async (t) => {
  const matrix = row([0, -1, 0, 1, -0, -1, 1, -1])
  // Negatives at 1, 5, 7; others at 0, 2, 3, 4, 6.
  t.same([...kernels.pruneBySign(matrix, 0.4)], [2, 4, 7])
  t.same([...kernels.pruneBySign(matrix, 0.8)], [0, 2, 4, 5, 6, 7])
})

t.test('SET: a share means what it says in decimal', async (t) => {
  const matrix = row(Array.from({ length: 100 }, (_, i) => i + 1))
  t.equal(kernels.pruneBySign(matrix, 0.29).length, 29)
  t.equal(kernels.pruneBySign(matrix, 0.57).length, 57)
})

t.test('SET: blocks have no sign and go by magnitude', async (t) => {
  const matrix = matrixAt(2, 8, [2, 2], [0, 1, 2, 3])
  matrix.values.set([-1, 0, 0, 0, 5, 5, 5, 5, -3, -3, 0, 0, 2, 0, 0, 0])
  t.same([...kernels.pruneBySign(matrix, 0.5)], [0, 3])
})

const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ noNaN: true }))
const list = fc.array(value, { minLength: 1, maxLength: 60 })

t.test('pruning equals a full sort', async () => {
  fc.assert(
    fc.property(list, fc.nat(), (values, some) => {
      const count = some % (values.length + 1)
      const matrix = row(values)
      const size = (i: number) => Math.abs(matrix.values[i]!)
      const sorted = [...values.keys()].sort((a, b) => size(a) - size(b) || b - a)
      const expected = sorted.slice(0, count).sort((a, b) => a - b)
      const given = [...kernels.prune(matrix, count, 'magnitude')]
      return given.length === count && given.every((index, i) => index === expected[i])
    }),
  )
})

t.test('SET drops the floor of each sign, and nothing that is larger than what stays', async () => {
  fc.assert(
    fc.property(list, fc.integer({ min: 0, max: 100 }), (values, percent) => {
      const matrix = row(values)
      const dropped = new Set(kernels.pruneBySign(matrix, percent / 100))
      return [(v: number) => v < 0, (v: number) => v >= 0].every((sign) => {
        const own = [...matrix.values.keys()].filter((i) => sign(matrix.values[i]!))
        const gone = own.filter((i) => dropped.has(i)).map((i) => Math.abs(matrix.values[i]!))
        const stay = own.filter((i) => !dropped.has(i)).map((i) => Math.abs(matrix.values[i]!))
        const count = Math.floor((percent * own.length) / 100)
        return gone.length === count && Math.max(-1, ...gone) <= Math.min(Number.POSITIVE_INFINITY, ...stay)
      })
    }),
  )
})

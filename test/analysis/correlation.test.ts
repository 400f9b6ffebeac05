import fc from 'fast-check'
import t from 'tap'
import { correlation } from '../../lib/analysis/correlation.js'

t.test('known values', async (t) => {
  t.ok(Math.abs(correlation([1, 2, 3], [10, 20, 30])! - 1) < 1e-15)
  t.ok(Math.abs(correlation([1, 2, 3], [3, 2, 1])! + 1) < 1e-15)
  t.equal(correlation([1, 2, 3, 4], [1, -1, -1, 1]), 0)
  // Anscombe's first set, r = 0.81642.
  const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
  const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
  t.ok(Math.abs(correlation(x, y)! - 0.81642051634484) < 1e-13)
})

t.test('what does not vary has none, and wrong lists are refused', async (t) => {
  t.equal(correlation([0.1, 0.1, 0.1], [1, 2, 3]), null)
  t.equal(correlation([1, 2], [0.3, 0.3]), null)
  t.throws(() => correlation([1, 2], [1]), {
    code: 'ERR_ESPALIER_OPTION',
    message: 'correlation: the lists have 2 and 1 numbers; allowed: equally many, two or more',
  })
  t.throws(() => correlation([1], [1]), { message: /1 and 1 numbers/ })
  t.throws(() => correlation([1, Number.NaN], [1, 2]), {
    message: 'correlation: a number is NaN; allowed: finite ones',
  })
})

t.test('any pairs: between -1 and 1, the same both ways, whatever scale', async () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })), {
    minLength: 2,
    maxLength: 30,
  })
  fc.assert(
    fc.property(pairs, (list) => {
      const [x, y] = [list.map(([a]) => a), list.map(([, b]) => b)]
      const r = correlation(x, y)
      if (r === null) return new Set(x).size === 1 || new Set(y).size === 1
      const scaled = correlation(
        y.map((value) => -3 * value + 7),
        x,
      )!
      return Math.abs(r) <= 1 && Math.abs(scaled + r) < 1e-12
    }),
    { numRuns: 1000 },
  )
})

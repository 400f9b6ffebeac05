import fc from 'fast-check'
import t, { type Test } from 'tap'
import { fitLognormal, normalShare } from '../../lib/analysis/lognormal.js'

const near = (t: Test, value: number, expected: number, tolerance = 1e-12) =>
  t.ok(Math.abs(value - expected) <= tolerance, `${value} is ${expected}`)

t.test('shares of the normal distribution', async (t) => {
  for (const [z, share] of [
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1, 0.15865525393145707],
    [1.959963984540054, 0.975],
    [-3, 0.0013498980316300946],
    [6, 1 - 9.865876450376981e-10],
    [9, 1],
    [-40, 0],
  ] as const)
    near(t, normalShare(z), share, 1e-14)
})

t.test('a fit by hand', async (t) => {
  // Logarithms 0, 0, 2 ln 2, 2 ln 2: one deviation either side of ln 2; the zero is left out.
  const fit = fitLognormal([4, 1, 0, 1, 4])!
  near(t, fit.mu, Math.LN2)
  near(t, fit.sigma, Math.LN2)
  // Half of the counts lie at -1, where the distribution has 0.1587.
  near(t, fit.distance, 0.5 - 0.15865525393145707)
  t.equal(fit.fitted, 4)
})

t.test('equal counts, one count and none', async (t) => {
  t.strictSame(fitLognormal([7, 7, 7]), { mu: Math.log(7), sigma: 0, distance: 0, fitted: 3 })
  t.strictSame(fitLognormal([1, 0]), { mu: 0, sigma: 0, distance: 0, fitted: 1 })
  t.equal(fitLognormal([0, 0]), null)
  t.equal(fitLognormal([]), null)
})

t.test('counts of a lognormal distribution give it back, others fit worse', async (t) => {
  // Quantiles of the standard normal by bisection of its share.
  const quantile = (share: number) => {
    let [low, high] = [-8, 8]
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2
      if (normalShare(middle) < share) low = middle
      else high = middle
    }
    return low
  }
  const counts = Array.from({ length: 1000 }, (_, i) =>
    Math.round(Math.exp(6 + 0.5 * quantile((i + 0.5) / 1000))),
  )
  const fit = fitLognormal(counts)!
  near(t, fit.mu, 6, 0.002)
  near(t, fit.sigma, 0.5, 0.005)
  t.ok(fit.distance < 0.005, `${fit.distance}`)
  const even = fitLognormal(Array.from({ length: 1000 }, (_, i) => i + 1))!
  t.ok(even.distance > 0.1, `${even.distance}`)
})

t.test('any counts: order and scale change nothing but mu', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 40 }), fc.nat(9), (counts, more) => {
      const fit = fitLognormal(counts)
      if (fit === null) return counts.every((count) => count === 0)
      const other = fitLognormal([...counts].reverse().map((count) => count * (more + 1)))!
      const { distance, sigma } = fit
      return (
        distance >= 0 &&
        distance <= 1 &&
        fit.fitted === counts.filter((count) => count > 0).length &&
        Math.abs(other.mu - fit.mu - Math.log(more + 1)) < 1e-9 &&
        Math.abs(other.sigma - sigma) < 1e-9
      )
    }),
    { numRuns: 1000 },
  )
})

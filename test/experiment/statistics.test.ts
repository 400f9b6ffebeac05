/** Statistics against the worked examples of R's and SciPy's documentation, SciPy 1.17 itself, and sums done by hand. */
import t, { type Test } from 'tap'
import { criticalT, twoSidedT } from '../../lib/experiment/statistics/student-t.js'
import { comparePaired, describeSample, holm, signedRank } from '../../lib/index.js'

/** Student's sleep data (1908), R's `sleep`: extra hours of ten patients under two drugs. */
const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2]
const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

function near(t: Test, found: number | null | undefined, wanted: number, error = 1e-10): void {
  const close =
    typeof found === 'number' && Math.abs(found - wanted) <= error * Math.max(Math.abs(wanted), 1e-3)
  t.ok(close, `${found} is ${wanted}`)
}

t.test("Student's t distribution", async (t) => {
  for (const [value, freedom, p] of [
    [0, 7, 1],
    [1, 1, 0.5],
    [2, 10, 0.07338803477074037],
    [-3, 4, 0.03994196807171986],
    [12, 30, 5.580185415199261e-13],
    [0.1, 5, 0.9242301411546604],
    [2.5, 300, 0.012953109204319182],
  ] as const) {
    near(t, twoSidedT(value, freedom) / p, 1, 1e-12)
  }
  for (const [level, freedom, wanted] of [
    [0.95, 1, 12.706204736174694],
    [0.95, 4, 2.7764451051977934],
    [0.95, 9, 2.262157162798205],
    [0.95, 499, 1.9647293909876886],
    [0.99, 30, 2.7499956535672254],
  ] as const) {
    near(t, criticalT(level, freedom), wanted, 1e-12)
  }
})

t.test('a sample', async (t) => {
  const { n, mean, deviation, interval } = describeSample([2, 4, 4, 4, 5, 5, 7, 9])
  t.equal(n, 8)
  t.equal(mean, 5)
  // Squares of the distances to 5 add up to 32.
  near(t, deviation, Math.sqrt(32 / 7))
  const half = (2.364624251592784 * Math.sqrt(32 / 7)) / Math.sqrt(8)
  near(t, interval![0], 5 - half)
  near(t, interval![1], 5 + half)
  t.strictSame(describeSample([0.3]), { n: 1, mean: 0.3, deviation: null, interval: null })
})

t.test('a deviation of equal values is zero, not a rounding error', async (t) => {
  t.equal(describeSample([0.1, 0.1, 0.1]).deviation, 0)
})

t.test("the paired t-test of R's documentation", async (t) => {
  // t.test(extra ~ group, data = sleep, paired = TRUE): t = -4.0621, df = 9, p-value = 0.002833, -2.4598858 -0.7001142, -1.58
  const test = comparePaired(first, second)
  t.equal(test.n, 10)
  near(t, test.difference, -1.58)
  near(t, test.t, -4.062127683382037)
  near(t, test.p, 0.002832890197384273)
  near(t, test.interval![0], -2.459885763276983)
  near(t, test.interval![1], -0.7001142367230175)
  // Nine differ, all one way: 2 of 2^9 ways are as far from the middle.
  near(t, test.wilcoxon, 2 / 512)
  near(t, test.dz, -1.2845575625910546)
  // cohen.d(extra ~ group) of R's effsize: 0.8321811
  near(t, test.d, -0.8321810813495395)
})

t.test('the signed rank test of two documentations', async (t) => {
  // R's ?wilcox.test, depression scale (Hollander and Wolfe, 1973): V = 40, one-sided p = 0.01953
  const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3]
  const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
  const depression = signedRank(before.map((value, i) => value - after[i]!))
  t.equal(depression?.statistic, 40)
  near(t, depression?.p, 0.0390625)
  // SciPy's wilcoxon, heights of maize (Darwin, 1876): statistic 24 (of the smaller side), p 0.041259765625
  const maize = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
  const heights = signedRank(maize)
  t.equal(heights?.statistic, (15 * 16) / 2 - 24)
  near(t, heights?.p, 0.041259765625)
})

t.test('ties share a rank, and p is exact for it', async (t) => {
  // |1|, |1|, |2|, |3| have ranks 1.5, 1.5, 3, 4; of 16 signings the positive sums below or at 1.5 are 0, 1.5 and 1.5.
  const found = signedRank([-1, 1, 2, 3])
  t.equal(found?.statistic, 8.5)
  near(t, found?.p, 6 / 16)
  // SciPy's wilcoxon by all permutations.
  near(t, signedRank([-1, 1, 2, 3, 3, -2, 7])?.p, 0.15625)
  t.strictSame(signedRank([0, -1, 1, 2, 0, 3]), found, 'zeros are left out')
  t.equal(signedRank([0, 0]), null)
  t.equal(signedRank([5])?.p, 1)
  t.equal(signedRank([1, -1])?.p, 1)
})

t.test('signed ranks against every signing of small samples', async (t) => {
  for (const differences of [
    [1, 2, 3, 4, -5],
    [2, 2, -2, 4, 4, 1],
    [3, -3, 3, -3, 1, 7, 7],
  ]) {
    const found = signedRank(differences)!
    const ranks = differences.map((one) => {
      const smaller = differences.filter((other) => Math.abs(other) < Math.abs(one)).length
      const equal = differences.filter((other) => Math.abs(other) === Math.abs(one)).length
      return smaller + (equal + 1) / 2
    })
    const middle = ranks.reduce((sum, rank) => sum + rank, 0) / 2
    let asFar = 0
    for (let signs = 0; signs < 2 ** ranks.length; signs++) {
      const sum = ranks.reduce((total, rank, i) => total + (signs & (1 << i) ? rank : 0), 0)
      if (Math.abs(sum - middle) >= Math.abs(found.statistic - middle)) asFar++
    }
    near(t, found.p, asFar / 2 ** ranks.length)
  }
})

t.test('five pairs that all agree: the least p that the signed rank test has there', async (t) => {
  near(t, comparePaired([5, 6, 7, 8, 9.5], [1, 1, 1, 1, 1]).wilcoxon, 1 / 16)
})

t.test('where there is nothing to test', async (t) => {
  t.strictSame(comparePaired([0.9], [0.8]).p, null)
  t.strictSame(comparePaired([0.9], [0.8]).wilcoxon, null)
  const constant = comparePaired([0.91, 0.81, 0.71], [0.9, 0.8, 0.7])
  t.equal(constant.t, null, 'differences that are all equal but for rounding have no t')
  near(t, constant.difference, 0.01, 1e-9)
  near(t, constant.wilcoxon, 0.25)
  const same = comparePaired([1, 2], [1, 2])
  t.match(same, { difference: 0, p: null, wilcoxon: null, dz: null, d: 0 })
  t.match(comparePaired([0, 0], [0, 0]), { difference: 0, p: null, d: null })
})

t.test("Holm's correction by hand", async (t) => {
  // Sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 that may not be below the one before.
  const adjusted = holm([0.01, 0.04, null, 0.03, 0.005])
  for (const [i, wanted] of [0.03, 0.06, null, 0.06, 0.02].entries()) {
    if (wanted === null) t.equal(adjusted[i], null)
    else near(t, adjusted[i], wanted)
  }
  t.strictSame(holm([0.6, 0.7]), [1, 1], 'never above 1')
  t.strictSame(holm([0.03]), [0.03])
  t.strictSame(holm([]), [])
})

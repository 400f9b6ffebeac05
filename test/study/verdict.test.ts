/** Estimates and verdicts on numbers worked out by hand. */
import t from 'tap'
import {
  difference,
  estimate,
  gains,
  isAbove,
  isBelow,
  isBetween,
  pAbove,
  pBelow,
} from '../../lib/study/estimate.js'
import { judgeEach, judgeOne, judgeTogether } from '../../lib/study/verdict.js'
import { madeUp } from './made-up.js'

const near = (t: Tap, found: number | null, expected: number, digits = 1e-6): void => {
  t.ok(found !== null && Math.abs(found - expected) < digits, `${found} is ${expected}`)
}
type Tap = Pick<typeof t, 'ok'>

t.test('one-sided p of a mean', (t) => {
  // Mean 2, deviation 1, n = 3: t = (2 - bound) sqrt(3), two degrees of freedom, where P(T > t) = 1/2 - t / (2 sqrt(2 + t^2)).
  const of = estimate([1, 2, 3])!
  t.equal(of.mean, 2)
  const tail = (bound: number): number => {
    const t = (2 - bound) * Math.sqrt(3)
    return 0.5 - t / (2 * Math.sqrt(2 + t * t))
  }
  for (const bound of [0, 1, 2, 2.5]) {
    near(t, pAbove(of, bound), tail(bound))
    near(t, pBelow(of, bound), 1 - tail(bound))
  }
  near(t, isBetween(of, 0, 5).holds, Math.max(tail(0), 1 - tail(5)))
  near(t, isBetween(of, 3, 5).fails, Math.min(1 - tail(3), tail(5)))
  t.end()
})

t.test('the interval and p agree: p < 0.025 exactly where the 95 % interval lies above', (t) => {
  const of = estimate([0.1, 0.2, 0.4, 0.35, 0.2])!
  const [low, high] = of.interval!
  t.ok(pAbove(of, low - 1e-6)! < 0.025)
  t.ok(pAbove(of, low + 1e-6)! > 0.025)
  t.ok(pBelow(of, high + 1e-6)! < 0.025)
  t.ok(pBelow(of, high - 1e-6)! > 0.025)
  t.end()
})

t.test('one value, none, and values that are all the same', (t) => {
  t.equal(estimate([]), null)
  t.equal(pAbove(null, 0), null)
  t.equal(pAbove(estimate([1]), 0), null)
  t.equal(judgeOne(isAbove(estimate([1]), 0)), 'undecided')
  t.equal(pAbove(estimate([1, 1, 1]), 0), 0)
  t.equal(pAbove(estimate([1, 1, 1]), 1), 1)
  t.equal(judgeOne(isBelow(estimate([1, 1]), 0)), 'not supported')
  t.end()
})

const sure = { holds: 0.001, fails: 0.999 }
const wrong = { holds: 0.999, fails: 0.001 }
const unclear = { holds: 0.4, fails: 0.6 }

t.test('together: all must hold, one that fails is enough', (t) => {
  t.equal(judgeTogether([sure, sure]), 'supported')
  t.equal(judgeTogether([sure, unclear]), 'undecided')
  t.equal(judgeTogether([sure, wrong]), 'not supported')
  t.equal(judgeTogether([]), 'undecided')
  t.equal(judgeTogether([sure, { holds: null, fails: null }]), 'undecided')
  // 0.02 alone speaks against it; after Holm over two it is 0.04 and does not.
  t.equal(judgeTogether([{ holds: 0.98, fails: 0.02 }]), 'not supported')
  t.equal(judgeTogether([{ holds: 0.98, fails: 0.02 }, sure]), 'undecided')
  t.end()
})

t.test('each: side by side, after Holm', (t) => {
  t.same(judgeEach([sure, wrong, unclear]), ['supported', 'not supported', 'undecided'])
  t.same(judgeEach([{ holds: 0.02, fails: 0.98 }]), ['supported'])
  t.same(judgeEach([{ holds: 0.02, fails: 0.98 }, unclear]), ['undecided', 'undecided'])
  t.end()
})

t.test('a gain that is certain but small is a gain; one that is ruled out is not', (t) => {
  t.equal(judgeOne(gains(estimate([0.1, 0.11, 0.12]), 0.5)), 'supported')
  t.equal(judgeOne(gains(estimate([-0.1, 0.1, 0.05]), 0.5)), 'not supported')
  t.equal(judgeOne(gains(estimate([-1, 1, 0.5]), 0.5)), 'undecided')
  t.end()
})

t.test('differences in points, paired by seed, without runs that failed', (t) => {
  const study = {
    name: 'two',
    datasets: ['digits'],
    seeds: 3,
    network: { hidden: [4] },
    methods: [{ name: 'a' }, { name: 'dense', network: { layer: { type: 'dense' } } }],
  } as const
  const comparison = madeUp(study, ({ method, index }) =>
    method === 'a' ? { accuracy: 80 + index } : index === 2 ? null : { accuracy: 79 - index },
  )
  const of = difference(comparison, { method: 'a', baseline: 'dense', dataset: 'digits', sparsity: 0.9 })!
  t.equal(of.n, 2)
  near(t, of.mean, 2)
  t.equal(difference(comparison, { method: 'a', baseline: 'dense', dataset: 'mnist', sparsity: 0.9 }), null)
  t.end()
})

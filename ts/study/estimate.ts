/** Means with their uncertainty, and how far they speak for lying above or below a bound. */
import type { Comparison } from '../experiment/compare.js'
import type { FinishedRun } from '../experiment/run-file.js'
import { describeSample, type Interval } from '../experiment/statistics/sample.js'
import { criticalT, twoSidedT } from '../experiment/statistics/student-t.js'
import { comparePairs, finishedAt } from '../experiment/summary.js'
import type { Evidence } from './verdict.js'

/** A mean of independent values: one for each seed, or one for each data set. */
export interface Estimate {
  readonly n: number
  readonly mean: number
  /** 95 %, by Student's t; null for one value. */
  readonly interval: Interval | null
}

/** @returns null for no values */
export function estimate(values: readonly number[]): Estimate | null {
  return values.length === 0 ? null : describeSample(values)
}

/** Where two methods of a comparison meet. */
export interface Pair {
  readonly method: string
  readonly baseline: string
  readonly dataset: string
  readonly sparsity: number | null
}

/** Accuracy of a method less that of a baseline, in percentage points, paired by seed; null where no seed has both. */
export function difference(comparison: Comparison, pair: Pair): Estimate | null {
  const test = comparePairs(comparison, pair)
  if (test === null) return null
  const { n, difference: mean, interval } = test
  return { n, mean: 100 * mean, interval: interval && [100 * interval[0], 100 * interval[1]] }
}

/** The finished runs of a method on one data set, whether or not its sparsity is the grid's to choose. */
export function runsOf(
  { plan, runs }: Comparison,
  { method, dataset, sparsity }: Omit<Pair, 'baseline'>,
): FinishedRun[] {
  const free = plan.methods.find(({ name }) => name === method)?.free === true
  return finishedAt(runs, { method, dataset, sparsity: free ? sparsity : null })
}

/** One-sided p that the mean is not above a bound, by Student's t; null below two values, or without any. */
export function pAbove(of: Estimate | null, bound: number): number | null {
  if (of === null || of.interval === null) return null
  const { n, mean, interval } = of
  const error = (interval[1] - mean) / criticalT(0.95, n - 1)
  if (error === 0) return mean > bound ? 0 : 1
  const t = (mean - bound) / error
  const half = twoSidedT(t, n - 1) / 2
  return t > 0 ? half : 1 - half
}

/** One-sided p that the mean is not below a bound. */
export function pBelow(of: Estimate | null, bound: number): number | null {
  return pAbove(
    of && { ...of, mean: -of.mean, interval: of.interval && [-of.interval[1], -of.interval[0]] },
    -bound,
  )
}

/** The statement that a mean is above a bound. */
export function isAbove(of: Estimate | null, bound: number): Evidence {
  return { holds: pAbove(of, bound), fails: pBelow(of, bound) }
}

/** The statement that a mean is below a bound. */
export function isBelow(of: Estimate | null, bound: number): Evidence {
  return { holds: pBelow(of, bound), fails: pAbove(of, bound) }
}

/** The statement that a mean is between two bounds. */
export function isBetween(of: Estimate | null, low: number, high: number): Evidence {
  const all = (...p: (number | null)[]): number | null =>
    p.includes(null) ? null : Math.max(...(p as number[]))
  const any = (...p: (number | null)[]): number | null =>
    p.includes(null) ? null : Math.min(...(p as number[]))
  return {
    holds: all(pAbove(of, low), pBelow(of, high)),
    fails: any(pBelow(of, low), pAbove(of, high)),
  }
}

/** The statement that a mean is above 0, by an amount that is claimed: it fails where so much is ruled out. */
export function gains(of: Estimate | null, claimed: number): Evidence {
  return { holds: pAbove(of, 0), fails: pBelow(of, claimed) }
}

import { describeSample, deviationOf, type Interval } from './sample.js'
import { twoSidedT } from './student-t.js'
import { signedRank } from './wilcoxon.js'

/** Two methods on the same seeds. Null: no such number, since there is one pair, or all differences are equal. */
export interface PairedTest {
  /** Pairs. */
  readonly n: number
  /** Mean of first - second. */
  readonly difference: number
  /** 95 % confidence interval of the mean difference, by Student's t. */
  readonly interval: Interval | null
  /** Of the paired t-test, with n - 1 degrees of freedom. */
  readonly t: number | null
  /** Two-sided. */
  readonly p: number | null
  /** Two-sided p of Wilcoxon's signed rank test, exact; null where no pair differs. */
  readonly wilcoxon: number | null
  /** Cohen's d of the paired differences, d_z = mean / standard deviation of the differences. */
  readonly dz: number | null
  /** Cohen's d of the two samples, difference / root of the mean of their variances (pooled, equal n). */
  readonly d: number | null
}

/**
 * Compares two samples of equal length, value by value.
 *
 * @param first one or more values
 * @param second as many, in the same order of seeds
 */
export function comparePaired(first: readonly number[], second: readonly number[]): PairedTest {
  const differences = subtract(first, second)
  const { n, mean: difference, deviation, interval } = describeSample(differences)
  const wilcoxon = n < 2 ? null : (signedRank(differences)?.p ?? null)
  if (deviation === null) return { n, difference, interval, t: null, p: null, wilcoxon, dz: null, d: null }
  const pooled = Math.sqrt((deviationOf(first) ** 2 + deviationOf(second) ** 2) / 2)
  const d = pooled === 0 ? null : difference / pooled
  if (deviation === 0) return { n, difference, interval, t: null, p: null, wilcoxon, dz: null, d }
  const dz = difference / deviation
  const t = dz * Math.sqrt(n)
  return { n, difference, interval, t, p: twoSidedT(t, n - 1), wilcoxon, dz, d }
}

/**
 * The differences, rounded at the 40th binary digit of the largest value: shares of right answers such as 0.91 - 0.9 and
 * 0.81 - 0.8 are ties, which their last digits must not hide.
 */
function subtract(first: readonly number[], second: readonly number[]): number[] {
  const largest = Math.max(...first.map(Math.abs), ...second.map(Math.abs))
  if (largest === 0) return first.map(() => 0)
  const unit = largest * 2 ** -40
  return first.map((value, i) => Math.round((value - second[i]!) / unit) * unit)
}

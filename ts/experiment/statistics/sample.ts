import { criticalT } from './student-t.js'

/** From a to b; NaN never. */
export type Interval = readonly [low: number, high: number]

/** A sample in numbers. */
export interface SampleSummary {
  readonly n: number
  readonly mean: number
  /** Of the sample, with n - 1; null for one value. */
  readonly deviation: number | null
  /** Of the mean, by Student's t; null for one value. */
  readonly interval: Interval | null
}

/**
 * Mean, sample standard deviation and confidence interval of the mean.
 *
 * @param values one or more
 * @param level of the interval. Default: 0.95
 */
export function describeSample(values: readonly number[], level = 0.95): SampleSummary {
  const n = values.length
  const mean = meanOf(values)
  if (n < 2) return { n, mean, deviation: null, interval: null }
  const deviation = deviationOf(values)
  const half = (criticalT(level, n - 1) * deviation) / Math.sqrt(n)
  return { n, mean, deviation, interval: [mean - half, mean + half] }
}

/** The mean of one or more values. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Sample standard deviation, with n - 1, of two or more values; exactly 0 where all are equal. */
export function deviationOf(values: readonly number[]): number {
  if (values.every((value) => value === values[0])) return 0
  const mean = meanOf(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}

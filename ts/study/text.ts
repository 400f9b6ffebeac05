/** How studies write numbers. */
import type { Estimate } from './estimate.js'

/** "+0.12 points (-0.05 to +0.29, n = 5)": a difference of accuracies with its 95 % interval. */
export const points = (of: Estimate | null): string => written(of, (value) => signed(value, 2), ' points')

/** "1.52 (1.31 to 1.73, n = 5)": any other mean with its 95 % interval. */
export const plain = (of: Estimate | null, digits = 2): string =>
  written(of, (value) => value.toFixed(digits), '')

function written(of: Estimate | null, write: (value: number) => string, unit: string): string {
  if (of === null) return 'no run'
  const { n, mean, interval } = of
  const range = interval === null ? 'n = 1' : `${write(interval[0])} to ${write(interval[1])}, n = ${n}`
  return `${write(mean)}${unit} (${range})`
}

const signed = (value: number, digits: number): string => {
  const text = value.toFixed(digits)
  return value > 0 && Number(text) !== 0 ? `+${text}` : text
}

import { EspalierError } from '../errors.js'

/**
 * Pearson's correlation of pairs, -1..1; null where one of the two does not vary, so that there is none. What PSN
 * (arXiv 2604.10560) reports between the CV of fan-in and the concentration of gradients.
 *
 * @throws ERR_ESPALIER_OPTION for lists of different length, fewer than two pairs, or a number that is not finite
 */
export function correlation(x: readonly number[], y: readonly number[]): number | null {
  if (x.length !== y.length || x.length < 2) {
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `correlation: the lists have ${x.length} and ${y.length} numbers; allowed: equally many, two or more`,
    )
  }
  const wrong = [...x, ...y].find((value) => !Number.isFinite(value))
  if (wrong !== undefined)
    throw new EspalierError('ERR_ESPALIER_OPTION', `correlation: a number is ${wrong}; allowed: finite ones`)
  if (new Set(x).size === 1 || new Set(y).size === 1) return null
  const [fromX, fromY] = [deviations(x), deviations(y)]
  const product = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  const r = product(fromX, fromY) / Math.sqrt(product(fromX, fromX)) / Math.sqrt(product(fromY, fromY))
  return Math.max(-1, Math.min(1, r))
}

function deviations(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}

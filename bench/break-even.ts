import { percent } from './markdown.js'

/** A measured speed-up at a sparsity. */
export interface Point {
  sparsity: number
  speedup: number
}

/**
 * The sparsity from which on sparse is faster, between two measured ones by a straight line over the logarithms of density and
 * speed-up. 'lower' where it is faster at every sparsity measured, 'higher' where at none.
 */
export function breakEven(points: readonly Point[]): number | 'lower' | 'higher' | null {
  const sorted = [...points].sort((a, b) => a.sparsity - b.sparsity)
  if (sorted.length === 0) return null
  const slowest = sorted.findLastIndex(({ speedup }) => speedup < 1)
  if (slowest === -1) return 'lower'
  const below = sorted[slowest]!
  const above = sorted[slowest + 1]
  if (above === undefined) return 'higher'
  const share = Math.log(1 / below.speedup) / Math.log(above.speedup / below.speedup)
  const from = Math.log(1 - below.sparsity)
  return 1 - Math.exp(from + share * (Math.log(1 - above.sparsity) - from))
}

/** The same in words, naming the end of what was measured where it lies beyond. */
export function breakEvenText(points: readonly Point[]): string {
  const result = breakEven(points)
  if (result === null) return '-'
  const sparsities = points.map(({ sparsity }) => sparsity)
  if (result === 'lower') return `below ${percent(Math.min(...sparsities))}`
  if (result === 'higher') return `above ${percent(Math.max(...sparsities))}`
  return percent(result)
}

import type { ClassMoments } from './moments.js'

/**
 * F of a one-way analysis of variance (Fisher): variance between the classes over variance within. Where a feature
 * tells all classes apart, F has no bound; variance within is then taken as 1e-6 of the whole.
 */
export function anova({ counts, sums, squares }: ClassMoments): number[] {
  const classes = counts.length
  const present = counts.filter((count) => count > 0).length
  const samples = counts.reduce((sum, count) => sum + count, 0)
  return Array.from(squares, (total, j) => {
    if (total === 0) return 0
    let between = 0
    for (const [label, count] of counts.entries()) {
      if (count > 0) between += sums[j * classes + label]! ** 2 / count
    }
    const within = Math.max(total - between, 1e-6 * total)
    return between / Math.max(1, present - 1) / (within / Math.max(1, samples - present))
  })
}

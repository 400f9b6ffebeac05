import type { Dataset } from '../../data/dataset.js'

/** Bins that a feature's values are put into. */
const BINS = 16

/**
 * Mutual information of each feature with the class, in nats, >= 0: the values of a feature are put into at most 16 bins
 * between their quantiles (equal values into one bin), and shares are taken as probabilities.
 */
export function mutualInformation(
  { samples, features, classes, values }: Dataset,
  labels: Int32Array,
): number[] {
  const column = new Float32Array(samples)
  const perClass = new Float64Array(classes)
  for (const label of labels) perClass[label]!++
  return Array.from({ length: features }, (_, j) => {
    for (let i = 0; i < samples; i++) column[i] = values[i * features + j]!
    const edges = binEdges(column)
    const joint = new Float64Array((edges.length + 1) * classes)
    for (let i = 0; i < samples; i++) joint[binOf(column[i]!, edges) * classes + labels[i]!]!++
    let information = 0
    for (let bin = 0; bin <= edges.length; bin++) {
      const row = joint.subarray(bin * classes, (bin + 1) * classes)
      const inBin = row.reduce((sum, count) => sum + count, 0)
      for (let label = 0; label < classes; label++) {
        const count = row[label]!
        if (count > 0)
          information += (count / samples) * Math.log((count * samples) / (inBin * perClass[label]!))
      }
    }
    return Math.max(0, information)
  })
}

/** Distinct values at the inner quantiles; a bin holds what lies below the next edge. */
function binEdges(column: Float32Array): number[] {
  const sorted = Float32Array.from(column).sort()
  const edges = new Set<number>()
  for (let bin = 1; bin < BINS; bin++) {
    const edge = sorted[Math.floor((bin * sorted.length) / BINS)]!
    if (edge > sorted[0]!) edges.add(edge)
  }
  return [...edges]
}

function binOf(value: number, edges: readonly number[]): number {
  let bin = 0
  while (bin < edges.length && value >= edges[bin]!) bin++
  return bin
}

import type { Dataset } from '../../data/dataset.js'
import { type ClassMoments, featureMeans, varyingFeatures } from './moments.js'

/** |Pearson correlation| of a feature with belonging to a class, the mean over the classes that occur. */
export function classCorrelation({ counts, sums, squares }: ClassMoments): number[] {
  const classes = counts.length
  const samples = counts.reduce((sum, count) => sum + count, 0)
  // A class of all samples or of none does not vary.
  const varying = [...counts.keys()].filter((label) => counts[label]! > 0 && counts[label]! < samples)
  return Array.from(squares, (total, j) => {
    if (total === 0 || varying.length === 0) return 0
    const all = varying.map((label) => {
      const spread = counts[label]! * (1 - counts[label]! / samples)
      return Math.min(1, Math.abs(sums[j * classes + label]!) / Math.sqrt(total * spread))
    })
    return all.reduce((sum, one) => sum + one, 0) / all.length
  })
}

/** |Pearson correlation| of a feature with a target, the mean over the targets. */
export function targetCorrelation(dataset: Dataset, targets: Float32Array): number[] {
  const { samples, features, values } = dataset
  const outputs = targets.length / samples
  const means = featureMeans(dataset)
  const targetMeans = featureMeans({ ...dataset, features: outputs, values: targets })
  const products = new Float64Array(features * outputs)
  const squares = new Float64Array(features)
  const targetSquares = new Float64Array(outputs)
  for (let i = 0; i < samples; i++) {
    for (let k = 0; k < outputs; k++) targetSquares[k]! += (targets[i * outputs + k]! - targetMeans[k]!) ** 2
    for (let j = 0; j < features; j++) {
      const distance = values[i * features + j]! - means[j]!
      squares[j]! += distance * distance
      for (let k = 0; k < outputs; k++) {
        products[j * outputs + k]! += distance * (targets[i * outputs + k]! - targetMeans[k]!)
      }
    }
  }
  const varies = varyingFeatures(dataset)
  return Array.from(squares, (square, j) => {
    if (varies[j] === 0) return 0
    let sum = 0
    for (let k = 0; k < outputs; k++) {
      const scale = Math.sqrt(square * targetSquares[k]!)
      sum += scale > 0 ? Math.min(1, Math.abs(products[j * outputs + k]!) / scale) : 0
    }
    return sum / outputs
  })
}

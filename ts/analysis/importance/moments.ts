import type { Dataset } from '../../data/dataset.js'

/** How the values of each feature lie around their mean, by class. */
export interface ClassMoments {
  /** Samples of each class. */
  readonly counts: Float64Array
  /** features x classes: sum over the samples of the class of (value - mean of the feature). */
  readonly sums: Float64Array
  /** For each feature, sum over all samples of (value - mean)^2; 0 for one that never changes. */
  readonly squares: Float64Array
}

export function classMoments(dataset: Dataset, labels: Int32Array): ClassMoments {
  const { samples, features, classes, values } = dataset
  const counts = new Float64Array(classes)
  for (const label of labels) counts[label]!++
  const means = featureMeans(dataset)
  const sums = new Float64Array(features * classes)
  const squares = new Float64Array(features)
  for (let i = 0; i < samples; i++) {
    const label = labels[i]!
    for (let j = 0; j < features; j++) {
      const distance = values[i * features + j]! - means[j]!
      sums[j * classes + label]! += distance
      squares[j]! += distance * distance
    }
  }
  const varies = varyingFeatures(dataset)
  for (let j = 0; j < features; j++) {
    if (varies[j] === 1) continue
    squares[j] = 0
    sums.fill(0, j * classes, (j + 1) * classes)
  }
  return { counts, sums, squares }
}

/** 1 for each feature of more than one value: the mean of equal numbers is not always that number to the last bit. */
export function varyingFeatures({ samples, features, values }: Dataset): Uint8Array {
  const varies = new Uint8Array(features)
  for (let i = 1; i < samples; i++) {
    for (let j = 0; j < features; j++) if (values[i * features + j] !== values[j]) varies[j] = 1
  }
  return varies
}

export function featureMeans({ samples, features, values }: Dataset): Float64Array {
  const means = new Float64Array(features)
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < features; j++) means[j]! += values[i * features + j]!
  }
  return means.map((sum) => sum / samples)
}

import { EspalierError } from '../errors.js'
import type { Dataset } from './dataset.js'
import { sharedFloats } from './memory.js'
import { checkFinite } from './samples.js'

/**
 * A change of scale, value' = (value - offsets[j]) x factors[j] for feature j. Plain data: it can be written to JSON
 * and applied later to new samples.
 */
export interface Scaling {
  /** How it was fitted: mean and standard deviation per feature; the same over all features; smallest and largest. */
  readonly method: 'standard' | 'standard-global' | 'minmax'
  /** What is subtracted: one number per feature, or one for all. */
  readonly offsets: readonly number[]
  /** What the difference is multiplied with, as many as offsets; 0 for a feature that never changes. */
  readonly factors: readonly number[]
}

/**
 * Standardising, fitted on the training part: every feature gets mean 0 and (population) standard deviation 1
 * there. A constant feature becomes 0.
 */
export function fitStandard(train: Dataset): Scaling {
  return standard('standard', train.values, train.samples, train.features)
}

/**
 * Standardising with one mean and one standard deviation over all features, for pixels: their contrast against each
 * other is kept, and border pixels that hardly ever change are not blown up.
 */
export function fitGlobalStandard(train: Dataset): Scaling {
  return standard('standard-global', train.values, train.values.length, 1)
}

/** Min-max scaling, fitted on the training part: every feature runs from 0 to 1 there. A constant one becomes 0. */
export function fitMinMax(train: Dataset): Scaling {
  const { smallest, largest } = extremes(train.values, train.features)
  return {
    method: 'minmax',
    offsets: Array.from(smallest),
    factors: Array.from(largest, (high, j) => reciprocal(high - smallest[j]!)),
  }
}

/**
 * A new data set with scaled values; the given one stays as it is.
 *
 * @throws ERR_ESPALIER_DATA where the scaling is for another number of features, or a value becomes too large.
 */
export function applyScaling(dataset: Dataset, scaling: Scaling): Dataset {
  return scaleInto(sharedFloats(dataset.values.length, dataset.name), dataset, scaling)
}

/** The same in the memory of the data set, which is of no use afterwards: for readers that have just filled it. */
export function scaleInPlace(dataset: Dataset, scaling: Scaling): Dataset {
  return scaleInto(dataset.values, dataset, scaling)
}

function scaleInto(values: Float32Array, dataset: Dataset, scaling: Scaling): Dataset {
  const { offsets, factors } = scaling
  const { features, name } = dataset
  const width = offsets.length
  if (factors.length !== width || (width !== 1 && width !== features)) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${name}: a scaling of ${width} offsets and ${factors.length} factors for ${features} features`,
    )
  }
  for (let i = 0, j = 0; i < values.length; i++) {
    values[i] = (dataset.values[i]! - offsets[j]!) * factors[j]!
    if (++j === width) j = 0
  }
  checkFinite({ values, features, source: name })
  return { ...dataset, values }
}

function standard(method: Scaling['method'], values: Float32Array, rows: number, columns: number): Scaling {
  const means = new Float64Array(columns)
  const squares = new Float64Array(columns)
  for (let i = 0, j = 0; i < values.length; i++) {
    means[j]! += values[i]!
    if (++j === columns) j = 0
  }
  for (let j = 0; j < columns; j++) means[j]! /= rows
  // A second pass around the mean: sums of squares of the values themselves would cancel.
  for (let i = 0, j = 0; i < values.length; i++) {
    const distance = values[i]! - means[j]!
    squares[j]! += distance * distance
    if (++j === columns) j = 0
  }
  const { smallest, largest } = extremes(values, columns)
  const factors = Array.from(squares, (sum, j) =>
    smallest[j] === largest[j] ? 0 : reciprocal(Math.sqrt(sum / rows)),
  )
  return { method, offsets: Array.from(means), factors }
}

function extremes(values: Float32Array, columns: number) {
  const smallest = new Float64Array(columns).fill(Number.POSITIVE_INFINITY)
  const largest = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY)
  for (let i = 0, j = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < smallest[j]!) smallest[j] = value
    if (value > largest[j]!) largest[j] = value
    if (++j === columns) j = 0
  }
  return { smallest, largest }
}

function reciprocal(spread: number): number {
  return spread === 0 ? 0 : 1 / spread
}

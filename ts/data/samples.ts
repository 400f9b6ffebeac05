import { EspalierError } from '../errors.js'
import type { Dataset } from './dataset.js'
import { encodeLabels, encodeTargets, type RawLabels } from './labels.js'

/** What a reader makes of a file, before labels are mapped to classes. */
export interface RawSamples {
  /** The file, for messages. */
  readonly source: string
  readonly samples: number
  readonly features: number
  /** samples x features, row-major. */
  readonly values: Float32Array
  readonly labels?: RawLabels
  /** [height, width] where the features are pixels. */
  readonly imageShape?: readonly [number, number]
  readonly featureNames?: readonly string[]
  /** See `Dataset`. */
  readonly firstIndex?: 0 | 1
}

/**
 * Samples of an array: the first dimension counts them, the others are flattened into features; three dimensions are
 * images of [height, width].
 */
export function samplesOfArray(
  source: string,
  shape: readonly number[],
  values: Float32Array,
  labels: RawLabels | undefined,
): RawSamples {
  const samples = shape[0] ?? 0
  return {
    source,
    samples,
    features: samples === 0 ? 0 : values.length / samples,
    values,
    ...(labels && { labels }),
    ...(shape.length === 3 && { imageShape: [shape[1]!, shape[2]!] as const }),
  }
}

/** What the labels of a file stand for. */
export type Task = 'classification' | 'regression'

/**
 * Makes data sets of raw parts: checks every value, gives all parts one mapping of labels to classes.
 *
 * @throws ERR_ESPALIER_DATA for NaN or Infinity (naming sample and feature, from 0), for parts that do not fit
 * together, or where there is no sample or no feature.
 */
export function assemble(parts: readonly RawSamples[], name: string, task: Task): Dataset[] {
  const first = parts[0]!
  for (const part of parts) {
    checkShape(part)
    checkFinite(part)
    if (part.features !== first.features) {
      throw new EspalierError(
        'ERR_ESPALIER_DATA',
        `${part.source}: ${part.features} features where ${first.source} has ${first.features}`,
      )
    }
    if ((part.labels === undefined) !== (first.labels === undefined)) {
      const [without, other] = part.labels === undefined ? [part, first] : [first, part]
      throw new EspalierError(
        'ERR_ESPALIER_DATA',
        `${without.source}: no labels, but ${other.source} has them`,
      )
    }
  }
  const labelled = parts.filter((part) => part.labels !== undefined)
  const encoded =
    task === 'classification' && labelled.length > 0
      ? encodeLabels(
          labelled.map((part) => part.labels!),
          first.source,
        )
      : undefined
  return parts.map((part, i) => {
    const { samples, features, values, imageShape, featureNames, firstIndex } = part
    return {
      name,
      samples,
      features,
      values,
      classes: encoded?.classes ?? 0,
      ...(encoded && { labels: encoded.labels[i]!, classNames: encoded.classNames }),
      ...(task === 'regression' &&
        part.labels && { targets: encodeTargets(part.labels, part.source), outputs: 1 }),
      ...(imageShape && { imageShape }),
      ...(featureNames && { featureNames }),
      ...(firstIndex !== undefined && { firstIndex }),
    }
  })
}

function checkShape(part: RawSamples): void {
  if (part.samples === 0 || part.features === 0) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${part.source}: ${part.samples} samples of ${part.features} features; there must be at least one of each`,
    )
  }
  if (part.labels !== undefined && part.labels.length !== part.samples) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${part.source}: ${part.samples} samples but ${part.labels.length} labels`,
    )
  }
}

/** @throws ERR_ESPALIER_DATA naming the first sample and feature that is NaN or Infinity. */
export function checkFinite({
  values,
  features,
  source,
}: Pick<RawSamples, 'values' | 'features' | 'source'>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new EspalierError(
        'ERR_ESPALIER_DATA',
        `${source}: sample ${Math.floor(i / features)}, feature ${i % features} (both from 0) is ${values[i]}, ` +
          'or too large for float32; every value must be a finite number',
      )
    }
  }
}

import { EspalierError } from '../errors.js'
import type { NativeData, NativeGradients, NativeTensor } from '../native/surface.js'
import { threadsSchema } from '../train/options.js'
import { impossible, object, parse, whole } from '../validation.js'
import type { NetworkDescription } from './description.js'
import { type LayerPattern, patternOf } from './pattern.js'

/** Options of `Network.gradients`. */
export interface GradientOptions {
  /** How many samples of the data set are looked at, from its first on. Default: all. */
  samples?: number
  /** Samples of a batch. Default 128; the last batch may be smaller. */
  batchSize?: number
  /** 1 to 256. Default: as many as the machine runs at once. */
  threads?: number
}

/** Gradients of the numbers of one parameter, in the order of a snapshot. */
export interface Gradient {
  /** Of the mean loss over the samples. */
  readonly mean: Float32Array
  /**
   * The magnitude that the gradient of a batch's mean loss has, averaged over the batches, each weighed by its samples;
   * |mean| where there is one batch.
   */
  readonly magnitude: Float32Array
}

/** Gradients of one sparse or dense layer. */
export interface LayerGradients {
  /** Index in `layers`. */
  readonly layer: number
  /** Which connections exist; null for a dense layer, where all do. */
  readonly pattern: LayerPattern | null
  /**
   * Sparse: r x c numbers an entry, row by row, in the order of `pattern.columnIndices`; 0 in what a block has beyond
   * the layer. Dense: outputs x inputs, row-major.
   */
  readonly weights: Gradient
  /** One number an output; null where the layer has no bias. */
  readonly bias: Gradient | null
}

const optionsSchema = object({
  samples: whole({ from: 1 }).optional(),
  batchSize: whole({ from: 1, to: 2 ** 24 }).default(128),
  threads: threadsSchema,
})

/** Checks the options. @throws ERR_ESPALIER_OPTION */
export function readGradientOptions(options: GradientOptions) {
  return parse('gradients', optionsSchema, options)
}

/** The first samples of a data set, in place. @throws ERR_ESPALIER_OPTION where it has fewer */
export function firstSamples(data: NativeData, samples: number = data.samples): NativeData {
  if (samples > data.samples) {
    const allowed = `allowed: samples <= ${data.samples}, which the data set has`
    throw impossible('gradients', 'samples', samples, allowed)
  }
  const outputs = (data.targets?.length ?? 0) / data.samples
  return {
    samples,
    features: data.features,
    values: data.values.subarray(0, samples * data.features),
    labels: data.labels?.subarray(0, samples) ?? null,
    targets: data.targets?.subarray(0, samples * outputs) ?? null,
  }
}

/** What the addon gives, by layer. */
export function layerGradients(
  description: NetworkDescription,
  { mean, magnitude }: NativeGradients,
): LayerGradients[] {
  return description.layers.flatMap((layer, index) => {
    if (layer.type !== 'sparse' && layer.type !== 'dense') return []
    const gradient = (what: string): Gradient => {
      const name = `layers.${index}.${what}`
      return { mean: numbers(mean, name), magnitude: numbers(magnitude, name) }
    }
    const sparse = layer.type === 'sparse'
    return {
      layer: index,
      pattern: sparse ? patternOf({ description, tensors: mean }, index) : null,
      weights: gradient(sparse ? 'values' : 'weight'),
      bias: layer.bias ? gradient('bias') : null,
    }
  })
}

function numbers(tensors: readonly NativeTensor[], name: string): Float32Array {
  const data = tensors.find((tensor) => tensor.name === name)?.data
  if (data instanceof Float32Array) return data
  throw new EspalierError('ERR_ESPALIER_INTERNAL', `there is no gradient of ${name}`)
}

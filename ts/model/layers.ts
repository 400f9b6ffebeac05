import { z } from 'zod'
import { flag, freeze, MAX_WIDTH, object, oneKind, parse, real, show, whole } from '../validation.js'
import { type Activation, type ActivationOption, activationSchema } from './activation.js'
import { type Block, type BlockOption, blockSchema } from './block.js'
import { type Initialization, type InitializationOption, initializationSchema } from './initialization.js'

/** A layer of which only some connections exist. */
export interface SparseLayer {
  readonly type: 'sparse'
  readonly outputs: number
  readonly activation: Activation
  readonly bias: boolean
  readonly block: Block
  /** Share of absent weights, or null where the topology of the network decides. */
  readonly sparsity: number | null
  readonly initialization: Initialization
  readonly dropConnect: number
  readonly masked: boolean
}

/** A layer of which every connection exists. */
export interface DenseLayer {
  readonly type: 'dense'
  readonly outputs: number
  readonly activation: Activation
  readonly bias: boolean
  readonly initialization: Initialization
  readonly dropConnect: number
}

/** A layer that leaves activations out at random while training; made by `dropout`. */
export interface DropoutLayer {
  readonly type: 'dropout'
  readonly rate: number
}

/** A layer that normalizes each sample; made by `layerNorm`. */
export interface LayerNormLayer {
  readonly type: 'layerNorm'
  readonly epsilon: number
}

/** Any layer of a network. */
export type Layer = SparseLayer | DenseLayer | DropoutLayer | LayerNormLayer

/** Options of `sparse`. */
export interface SparseOptions {
  /** What follows the weights. Default 'relu'. */
  activation?: ActivationOption
  /** One trained number a neuron, added before the activation. Default true. */
  bias?: boolean
  /** Shape in which connections exist and move together. Default '1x1', single weights. */
  block?: BlockOption
  /** Share of absent weights of this layer, 0 <= sparsity < 1. Default: decided by the network's topology. */
  sparsity?: number
  /** Where weights start. Default 'he'. */
  initialization?: InitializationOption
  /** As of `dense`, over the weights that exist. Default 0. */
  dropConnect?: number
  /**
   * Multiply the layer as a dense matrix of which most places are 0, as the codes behind the papers do, on every
   * device: a baseline of the same engine. It has the connections, rules and checkpoint tensors of the sparse layer
   * that it would otherwise be, and the same results up to rounding, at a dense layer's cost in time and memory.
   * Default false.
   */
  masked?: boolean
}

/** Options of `dense`. */
export interface DenseOptions {
  /** What follows the weights. Default 'linear'. */
  activation?: ActivationOption
  /** One trained number a neuron, added before the activation. Default true. */
  bias?: boolean
  /** Where weights start. Default 'he'. */
  initialization?: InitializationOption
  /**
   * DropConnect (Wan et al., ICML 2013): each training step leaves out each weight (not biases) with this
   * probability, 0 <= dropConnect < 1, and divides the others by 1 - dropConnect; evaluation and prediction use all
   * weights as they are. One mask serves the whole batch of a step, where the paper draws one for each sample, and
   * evaluation takes the mean, where the paper samples: both are ours. Default 0.
   */
  dropConnect?: number
}

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance, so that a constant sample does not divide by zero. Default 1e-5. */
  epsilon?: number
}

const outputs = whole({ from: 1, to: MAX_WIDTH })
const rateSchema = real({ from: 0, below: 1 })

const sparseShape = {
  activation: activationSchema.prefault('relu'),
  bias: flag().default(true),
  block: blockSchema.prefault([1, 1]),
  sparsity: real({ from: 0, below: 1 }).nullable().default(null),
  initialization: initializationSchema.prefault('he'),
  dropConnect: rateSchema.default(0),
  masked: flag().default(false),
}
const denseShape = {
  activation: activationSchema.prefault('linear'),
  bias: flag().default(true),
  initialization: initializationSchema.prefault('he'),
  dropConnect: rateSchema.default(0),
}
const layerNormShape = { epsilon: real({ above: 0, to: 1 }).default(1e-5) }

const sparseOptions = object(sparseShape)
const denseOptions = object(denseShape)
const layerNormOptions = object(layerNormShape)

/** Any layer, as its builder makes it or as a checkpoint holds it. */
export const layerSchema: z.ZodType<Layer> = oneKind(
  [
    object({ type: z.literal('sparse'), outputs, ...sparseShape }),
    object({ type: z.literal('dense'), outputs, ...denseShape }),
    object({ type: z.literal('dropout'), rate: rateSchema }),
    object({ type: z.literal('layerNorm'), ...layerNormShape }),
  ],
  'sparse(...), dense(...), dropout(...), layerNorm(...)',
)

/**
 * A sparse layer of `outputs` neurons: y = activation(W x + b), where only the weights of the pattern exist.
 *
 * @param outputs neurons, 1 to 16777216
 * @throws ERR_ESPALIER_OPTION
 */
export function sparse(outputs: number, options: SparseOptions = {}): SparseLayer {
  const call = `sparse(${show(outputs)})`
  return freeze({ type: 'sparse', ...argument(call, { outputs }), ...parse(call, sparseOptions, options) })
}

/**
 * A dense layer of `outputs` neurons: y = activation(W x + b).
 *
 * @param outputs neurons, 1 to 16777216
 * @throws ERR_ESPALIER_OPTION
 */
export function dense(outputs: number, options: DenseOptions = {}): DenseLayer {
  const call = `dense(${show(outputs)})`
  return freeze({ type: 'dense', ...argument(call, { outputs }), ...parse(call, denseOptions, options) })
}

/**
 * Inverted dropout (Srivastava et al., 2014): while training, each value is zero with probability `rate`, and the
 * others are divided by 1 - rate; it does nothing in evaluation and prediction.
 *
 * @param rate 0 <= rate < 1
 * @throws ERR_ESPALIER_OPTION
 */
export function dropout(rate: number): DropoutLayer {
  return freeze({
    type: 'dropout',
    ...parse(`dropout(${show(rate)})`, object({ rate: rateSchema }), { rate }),
  })
}

/**
 * Layer normalisation (Ba et al., 2016) over the features of each sample, with a trained gain and shift a feature.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function layerNorm(options: LayerNormOptions = {}): LayerNormLayer {
  return freeze({ type: 'layerNorm', ...parse('layerNorm', layerNormOptions, options) })
}

function argument(call: string, value: { outputs: number }): { outputs: number } {
  return parse(call, object({ outputs }), value)
}

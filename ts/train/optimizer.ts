import { z } from 'zod'
import type { NativeOptimizer } from '../native/surface.js'
import { type Clash, flag, freeze, object, oneKind, parse, real, together } from '../validation.js'

/** The optimizer that `sgd` makes. */
export interface SgdOptimizer {
  readonly type: 'sgd'
  readonly learningRate: number
  readonly momentum: number
  readonly nesterov: boolean
  readonly weightDecay: number
  readonly l1: number
}

/** The optimizer that `adam` and `adamw` make. */
export interface AdamOptimizer {
  readonly type: 'adam' | 'adamw'
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  readonly l1: number
}

/** How weights follow their gradients. Only connections that exist have optimizer state. */
export type Optimizer = SgdOptimizer | AdamOptimizer

/** Penalties on weights, which every optimizer takes. */
export interface PenaltyOptions {
  /**
   * L1 penalty (as of the lasso, Tibshirani, 1996), added to the gradient as l1 x sign(weight), 0 at 0; >= 0. Weights
   * only: biases and normalisation are left alone, as they are by weightDecay. Default 0.
   */
  l1?: number
}

/** Options of `sgd`. */
export interface SgdOptions extends PenaltyOptions {
  /** Step size, > 0. Default 0.1. */
  learningRate?: number
  /** Share of the last move that is kept, 0 <= momentum < 1. Default 0.9. */
  momentum?: number
  /** Look ahead along the momentum (Nesterov). Needs momentum > 0. Default false. */
  nesterov?: boolean
  /** L2 penalty, added to the gradient as weightDecay x weight; >= 0. Default 0. */
  weightDecay?: number
}

/** Options of `adam` and `adamw`. */
export interface AdamOptions extends PenaltyOptions {
  /** Step size, > 0. Default 0.001. */
  learningRate?: number
  /** Decay of the first moment, 0 <= beta1 < 1. Default 0.9. */
  beta1?: number
  /** Decay of the second moment, 0 <= beta2 < 1. Default 0.999. */
  beta2?: number
  /** Added to the root of the second moment, > 0. Default 1e-8. */
  epsilon?: number
  /** adam: L2 penalty in the gradient, default 0. adamw: decay of the weight itself, default 0.01. */
  weightDecay?: number
}

const decay = real({ from: 0, below: 1 })
const penalty = real({ from: 0 })
const learningRate = real({ above: 0 })

const sgdShape = {
  learningRate: learningRate.default(0.1),
  momentum: decay.default(0.9),
  nesterov: flag().default(false),
  weightDecay: penalty.default(0),
  l1: penalty.default(0),
}
const adamShape = {
  learningRate: learningRate.default(0.001),
  beta1: decay.default(0.9),
  beta2: decay.default(0.999),
  epsilon: real({ above: 0 }).default(1e-8),
}

/** Short names of other libraries. */
const aliases = { lr: 'learningRate', wd: 'weightDecay' } as const

const sgdOptions = together(object(sgdShape, {}, aliases), clashOfNesterov)
const adamOptions = object(
  { ...adamShape, weightDecay: penalty.default(0), l1: penalty.default(0) },
  {},
  aliases,
)
const adamwOptions = object(
  { ...adamShape, weightDecay: penalty.default(0.01), l1: penalty.default(0) },
  {},
  aliases,
)

export const optimizerSchema: z.ZodType<Optimizer> = oneKind(
  [
    together(object({ type: z.literal('sgd'), ...sgdShape }, {}, aliases), clashOfNesterov),
    object({ type: z.literal('adam'), ...adamOptions.shape }, {}, aliases),
    object({ type: z.literal('adamw'), ...adamwOptions.shape }, {}, aliases),
  ],
  'sgd(...), adam(...), adamw(...)',
)

/**
 * Stochastic gradient descent with momentum: v = momentum v + gradient; weight -= learningRate v.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function sgd(options: SgdOptions = {}): SgdOptimizer {
  return freeze({ type: 'sgd', ...parse('sgd', sgdOptions, options) })
}

function clashOfNesterov({
  nesterov,
  momentum,
}: {
  nesterov: boolean
  momentum: number
}): Clash<'nesterov'> | null {
  if (!nesterov || momentum > 0) return null
  return { option: 'nesterov', reason: 'it needs momentum > 0, and momentum is 0' }
}

/**
 * Adam (Kingma and Ba, 2015). A connection that grew counts its own steps, so its bias correction starts anew.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function adam(options: AdamOptions = {}): AdamOptimizer {
  return freeze({ type: 'adam', ...parse('adam', adamOptions, options) })
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function adamw(options: AdamOptions = {}): AdamOptimizer {
  return freeze({ type: 'adamw', ...parse('adamw', adamwOptions, options) })
}

/** The optimizer with every field that the addon knows; those of the other kind are zero. */
export function toNativeOptimizer(optimizer: Optimizer): NativeOptimizer {
  return { momentum: 0, nesterov: false, beta1: 0, beta2: 0, epsilon: 0, ...optimizer }
}

import { z } from 'zod'
import { flag, freeze, object, parse, real, whole } from '../validation.js'
import { type MovingOptions, type MovingRule, movingShape } from './shared.js'

/** The rule that `snfs` makes. */
export interface SnfsRule extends MovingRule {
  readonly type: 'snfs'
  readonly smoothing: number
  readonly sampleEvery: number
  readonly redistribute: boolean
}

/** Defaults: every 'epoch', fraction 0.5, until 1, fractionSchedule 'cosine'. */
export interface SnfsOptions extends MovingOptions {
  /** Share of the average that a new gradient leaves as it is, 0 <= smoothing < 1. Default 0.9. */
  smoothing?: number
  /** Steps between two gradients that enter the average, >= 1; one more enters at each rewiring. Default 10. */
  sampleEvery?: number
  /** Share out among the layers what all of them dropped; else each layer grows what it dropped. Default true. */
  redistribute?: boolean
}

const shape = {
  ...movingShape({ every: 'epoch', fraction: 0.5, until: 1, fractionSchedule: 'cosine' }),
  smoothing: real({ from: 0, below: 1 }).default(0.9),
  sampleEvery: whole({ from: 1, to: 2 ** 40 }).default(10),
  redistribute: flag().default(true),
}

export const snfsSchema = object({ type: z.literal('snfs'), ...shape })
const snfsOptions = object(shape)

/**
 * SNFS, sparse momentum (Dettmers and Zettlemoyer, 2019, "Sparse networks from scratch: faster training without losing
 * performance"): drop the connections smallest in magnitude, and grow where the exponential average of the dense
 * gradient is largest. What all layers dropped is shared out among them in proportion to the mean |average| of their
 * connections, so that layers gain and lose; the sum stays. New connections start at zero.
 *
 * The average is dense: it takes 4 bytes for every position of the sparse layers, in memory and in checkpoints. The
 * original takes every step's gradient into it, at the price of a dense weight-gradient product each step, which is a
 * third of a dense step. Here every `sampleEvery`-th gradient enters, a tenth of that price by default, so that the
 * average looks back over as many times more steps; `sampleEvery: 1` is the original. The average lives on over a
 * rewiring, and it is one of its own, whatever the optimizer's momentum.
 *
 * In training: ERR_ESPALIER_OPTION before the first step where layers to share among have blocks of several shapes.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function snfs(options: SnfsOptions = {}): SnfsRule {
  return freeze({ type: 'snfs', ...parse('snfs', snfsOptions, options) })
}

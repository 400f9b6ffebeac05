import { z } from 'zod'
import { flag, freeze, object, parse } from '../validation.js'
import { type NeuronRule, neuronsSchema } from './neurons.js'
import {
  checkFractions,
  type ExplorationOptions,
  type FractionSchedule,
  fractionScheduleSchema,
  fractionSchema,
  intervalSchema,
  minimumFractionSchema,
  type RewireInterval,
  trackExplorationSchema,
  untilSchema,
} from './shared.js'

export interface RiglRule {
  readonly type: 'rigl'
  readonly every: RewireInterval
  readonly fraction: number
  readonly until: number
  readonly fractionSchedule: FractionSchedule
  readonly skipUpdate: boolean
  readonly minimumFraction: number
  readonly trackExploration: boolean
  readonly neurons: NeuronRule | null
}

export interface RiglOptions extends ExplorationOptions {
  /** Steps between two rewirings, or 'epoch' for after every epoch but the last. Default 100. */
  every?: RewireInterval
  /** Share of a layer's connections that move at first, alpha in the paper; 0 < fraction <= 1. Default 0.3. */
  fraction?: number
  /** Share of training after which nothing moves, 0 to 1. Default 0.75. */
  until?: number
  /** How the fraction changes over training. Default 'cosine'. */
  fractionSchedule?: FractionSchedule
  /** No optimizer step on a rewiring step, as in the original. Default true. */
  skipUpdate?: boolean
  /** Remove hidden neurons too. Default null: none. */
  neurons?: NeuronRule | null
}

const shape = {
  every: intervalSchema.default(100),
  fraction: fractionSchema.default(0.3),
  until: untilSchema.default(0.75),
  fractionSchedule: fractionScheduleSchema.default('cosine'),
  skipUpdate: flag().default(true),
  minimumFraction: minimumFractionSchema,
  trackExploration: trackExplorationSchema,
  neurons: neuronsSchema,
}

export const riglSchema = object({ type: z.literal('rigl'), ...shape })
const riglOptions = object(shape)

/**
 * RigL (Evci et al., 2020): drop the connections smallest in magnitude, grow as many where the dense gradient is
 * largest among the positions not kept. New connections start at zero. The dense gradient is streamed in tiles and
 * never held.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function rigl(options: RiglOptions = {}): RiglRule {
  return freeze({ type: 'rigl', ...checkFractions('rigl', parse('rigl', riglOptions, options)) })
}

/**
 * RigL-ITOP (Liu et al., ICML 2021, "Do we actually need dense over-parameterization?"): RigL that explores. Its own
 * defaults: half of the connections move every 4,000 steps to the end of training, the fraction falling along a cosine
 * to 0.005, and R_s is followed. Whatever is given replaces them.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function riglItop(options: RiglOptions = {}): RiglRule {
  return rigl({
    every: 4000,
    fraction: 0.5,
    until: 1,
    minimumFraction: 0.005,
    trackExploration: true,
    ...options,
  })
}

import { z } from 'zod'
import { flag, freeze, object, parse, together } from '../validation.js'
import { type NeuronRule, neuronsSchema } from './neurons.js'
import {
  clashOfFractions,
  type ExplorationOptions,
  type MovingRule,
  minimumFractionSchema,
  movingShape,
  over,
} from './shared.js'

/** The rule that `rigl` and `riglItop` make. */
export interface RiglRule extends MovingRule {
  readonly type: 'rigl'
  readonly skipUpdate: boolean
  readonly minimumFraction: number
  readonly neurons: NeuronRule | null
}

/** Defaults: every 100, fraction 0.3, until 0.75, fractionSchedule 'cosine'. */
export interface RiglOptions extends ExplorationOptions {
  /** No optimizer step on a rewiring step, as in the original. Default true. */
  skipUpdate?: boolean
  /** Remove hidden neurons too. Default null: none. */
  neurons?: NeuronRule | null
}

const shape = {
  ...movingShape({ every: 100, fraction: 0.3, until: 0.75, fractionSchedule: 'cosine' }),
  skipUpdate: flag().default(true),
  minimumFraction: minimumFractionSchema,
  neurons: neuronsSchema,
}

export const riglSchema = together(object({ type: z.literal('rigl'), ...shape }), clashOfFractions)
const riglOptions = together(object(shape), clashOfFractions)

/**
 * RigL (Evci et al., 2020): drop the connections smallest in magnitude, grow as many where the dense gradient is
 * largest among the positions not kept. New connections start at zero. The dense gradient is streamed in tiles and
 * never held.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function rigl(options: RiglOptions = {}): RiglRule {
  return freeze({ type: 'rigl', ...parse('rigl', riglOptions, options) })
}

const itop: RiglOptions = {
  every: 4000,
  fraction: 0.5,
  until: 1,
  minimumFraction: 0.005,
  trackExploration: true,
}

/**
 * RigL-ITOP (Liu et al., ICML 2021, "Do we actually need dense over-parameterization?"): RigL that explores. Its own
 * defaults: half of the connections move every 4,000 steps to the end of training, the fraction falling along a cosine
 * to 0.005, and R_s is followed. Whatever is given replaces them.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function riglItop(options: RiglOptions = {}): RiglRule {
  return rigl(over(itop, options))
}

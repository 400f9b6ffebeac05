import { z } from 'zod'
import type { Initialization, InitializationOption } from '../model/initialization.js'
import { initializationSchema } from '../model/initialization.js'
import { freeze, object, oneOf, parse, together } from '../validation.js'
import { type NeuronPruningOptions, type NeuronRule, neuronsSchema, pruneNeurons } from './neurons.js'
import {
  clashOfFractions,
  type ExplorationOptions,
  type MovingRule,
  minimumFractionSchema,
  movingShape,
  over,
} from './shared.js'

/** The rule that `set`, `setItop` and `npset` make. */
export interface SetRule extends MovingRule {
  readonly type: 'set'
  readonly prune: 'set' | 'magnitude'
  readonly initialization: Initialization
  readonly minimumFraction: number
  readonly neurons: NeuronRule | null
}

/** Defaults: every 'epoch', fraction 0.3, until 1, fractionSchedule 'constant'. */
export interface SetOptions extends ExplorationOptions {
  /**
   * What is dropped: `set`, the fraction of the negatives and of the positives that are nearest zero;
   * `magnitude`, the fraction that is smallest in magnitude. Default 'set'.
   */
  prune?: 'set' | 'magnitude'
  /**
   * Value of a new connection. Default 'zeros': it starts to matter as it learns. Random values disturb the network
   * at every rewiring, and it does not recover once the learning rate has fallen.
   */
  initialization?: InitializationOption
  /** Remove hidden neurons too, as NPSET does. Default null: none. */
  neurons?: NeuronRule | null
}

const shape = {
  ...movingShape({ every: 'epoch', fraction: 0.3, until: 1, fractionSchedule: 'constant' }),
  prune: oneOf(['set', 'magnitude']).default('set'),
  initialization: initializationSchema.prefault('zeros'),
  minimumFraction: minimumFractionSchema,
  neurons: neuronsSchema,
}

export const setSchema = together(object({ type: z.literal('set'), ...shape }), clashOfFractions)
const setOptions = together(object(shape), clashOfFractions)

/**
 * Sparse evolutionary training (Mocanu et al., 2018): drop the connections nearest zero, grow as many uniformly at
 * random among the positions not kept. Survivors keep weight and optimizer state.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function set(options: SetOptions = {}): SetRule {
  return freeze({ type: 'set', ...parse('set', setOptions, options) })
}

const itop: SetOptions = {
  every: 1500,
  fraction: 0.5,
  prune: 'magnitude',
  fractionSchedule: 'cosine',
  minimumFraction: 0.005,
  trackExploration: true,
}

/**
 * SET-ITOP (Liu et al., ICML 2021, "Do we actually need dense over-parameterization?"): SET that explores. Its own
 * defaults: half of the connections, the smallest in magnitude, move every 1,500 steps to the end of training, the
 * fraction falling along a cosine to 0.005, and R_s is followed. Whatever is given replaces them.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function setItop(options: SetOptions = {}): SetRule {
  return set(over(itop, options))
}

/**
 * NPSET (Liu, Mocanu and Pechenizkiy, 2019, arXiv 1906.11626): SET, and about half of the hidden neurons are removed
 * while training. What the paper leaves open is as in `pruneNeurons`.
 *
 * @param neurons how neurons are removed, see `pruneNeurons`
 * @throws ERR_ESPALIER_OPTION
 */
export function npset(
  options: Omit<SetOptions, 'neurons'> = {},
  neurons: NeuronPruningOptions = {},
): SetRule {
  return set({ ...options, neurons: pruneNeurons(neurons) })
}

import { z } from 'zod'
import { flag, freeze, object, parse } from '../validation.js'
import {
  type FractionSchedule,
  fractionScheduleSchema,
  fractionSchema,
  intervalSchema,
  type RewireInterval,
  trackExplorationSchema,
  untilSchema,
} from './shared.js'

export interface InvertedRiglRule {
  readonly type: 'invertedRigl'
  readonly every: RewireInterval
  readonly fraction: number
  readonly until: number
  readonly fractionSchedule: FractionSchedule
  readonly skipUpdate: boolean
  readonly trackExploration: boolean
}

export interface InvertedRiglOptions {
  /** Steps between two rewirings, or 'epoch' for after every epoch but the last. Default 100. */
  every?: RewireInterval
  /** Share of a layer's connections that move at first; 0 < fraction <= 1. Default 0.3. */
  fraction?: number
  /** Share of training after which nothing moves, 0 to 1. Default 0.75. */
  until?: number
  /** How the fraction changes over training. Default 'cosine'. */
  fractionSchedule?: FractionSchedule
  /** No optimizer step on a rewiring step. Default true. */
  skipUpdate?: boolean
  /** Follow R_s, as of `rigl`. Default false. */
  trackExploration?: boolean
}

const shape = {
  every: intervalSchema.default(100),
  fraction: fractionSchema.default(0.3),
  until: untilSchema.default(0.75),
  fractionSchedule: fractionScheduleSchema.default('cosine'),
  skipUpdate: flag().default(true),
  trackExploration: trackExplorationSchema,
}

export const invertedRiglSchema = object({ type: z.literal('invertedRigl'), ...shape })
const invertedRiglOptions = object(shape)

/**
 * RigL (Evci et al., 2020) the wrong way round, a control for it: drop the connections smallest in magnitude, grow as
 * many where the dense gradient is smallest among the positions not kept. Of equal gradients, which dead neurons have
 * by the thousand, chance decides by the network's seed. The control is ours.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function invertedRigl(options: InvertedRiglOptions = {}): InvertedRiglRule {
  return freeze({ type: 'invertedRigl', ...parse('invertedRigl', invertedRiglOptions, options) })
}

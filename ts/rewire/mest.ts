import { z } from 'zod'
import { flag, freeze, object, parse, real } from '../validation.js'
import {
  type FractionSchedule,
  fractionScheduleSchema,
  fractionSchema,
  intervalSchema,
  type RewireInterval,
  trackExplorationSchema,
  untilSchema,
} from './shared.js'

export interface MestRule {
  readonly type: 'mest'
  readonly every: RewireInterval
  readonly fraction: number
  readonly until: number
  readonly fractionSchedule: FractionSchedule
  readonly lambda: number
  readonly softBound: boolean
  readonly trackExploration: boolean
}

export interface MestOptions {
  /** Steps between two rewirings, or 'epoch' for after every epoch but the last. Default 'epoch'. */
  every?: RewireInterval
  /** Share of a layer's connections that move at first; 0 < fraction <= 1. Default 0.2. */
  fraction?: number
  /** Share of training after which nothing moves, 0 to 1. Default 0.75. */
  until?: number
  /** How the fraction falls over training. Default 'cosine'. */
  fractionSchedule?: FractionSchedule
  /** What a gradient counts for beside a weight, >= 0. Default 0.01. */
  lambda?: number
  /**
   * EM&S: new connections are trained beside the old ones until the next rewiring, which drops the least important of
   * all. A layer then holds up to `fraction` more connections than the topology laid, until the last rewiring takes them
   * away. Default false.
   */
  softBound?: boolean
  /** Follow R_s, as of `rigl`. Default false. */
  trackExploration?: boolean
}

const shape = {
  every: intervalSchema.default('epoch'),
  fraction: fractionSchema.default(0.2),
  until: untilSchema.default(0.75),
  fractionSchedule: fractionScheduleSchema.default('cosine'),
  lambda: real({ from: 0, to: 1e30 }).default(0.01),
  softBound: flag().default(false),
  trackExploration: trackExplorationSchema,
}

export const mestSchema = object({ type: z.literal('mest'), ...shape })
const mestOptions = object(shape)

/**
 * MEST with elastic mutation (Yuan et al., NeurIPS 2021, "MEST: accurate and fast memory-economic sparse training
 * framework on the edge"): drop the connections of least |w| + lambda |g|, g being the gradient of the last batch, and
 * grow as many uniformly at random; new ones start at zero. For blocks, norms take the place of magnitudes. The fraction
 * falls while training: in steps in the paper, after 9/16 and 3/4 of it, along a cosine here. The paper rewires every 5
 * epochs of 160; the interval, the fraction and lambda here are ours. The gradient is read row by row and not held; it
 * costs one dense product a layer at each rewiring.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function mest(options: MestOptions = {}): MestRule {
  return freeze({ type: 'mest', ...parse('mest', mestOptions, options) })
}

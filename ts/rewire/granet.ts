import { z } from 'zod'
import { flag, freeze, impossible, object, parse, real } from '../validation.js'
import {
  type FractionSchedule,
  fractionScheduleSchema,
  fractionSchema,
  intervalSchema,
  type RewireInterval,
  trackExplorationSchema,
  untilSchema,
} from './shared.js'

export interface GranetRule {
  readonly type: 'granet'
  readonly finalSparsity: number
  readonly every: RewireInterval
  readonly fraction: number
  readonly from: number
  readonly until: number
  readonly fractionSchedule: FractionSchedule
  readonly skipUpdate: boolean
  readonly trackExploration: boolean
}

export interface GranetOptions {
  /** Share of the weights of all sparse layers that do not exist in the end; 0 <= finalSparsity < 1. Default 0.9. */
  finalSparsity?: number
  /** Steps between two rewirings, or 'epoch' for after every epoch but the last. Default 100; the paper's 1,000. */
  every?: RewireInterval
  /** Share of what pruning leaves that is dropped and grown anew, at first; 0 < fraction <= 1. Default 0.5. */
  fraction?: number
  /** Share of training before which nothing moves, 0 to 1. Default 0. */
  from?: number
  /** Share of training after which nothing moves, 0 to 1; the last rewiring reaches finalSparsity. Default 0.7. */
  until?: number
  /** How the fraction changes over training. Default 'cosine'. */
  fractionSchedule?: FractionSchedule
  /** No optimizer step on a rewiring step. Default true. */
  skipUpdate?: boolean
  /** Follow R_s, as of `rigl`. Default false. */
  trackExploration?: boolean
}

const shape = {
  finalSparsity: real({ from: 0, below: 1 }).default(0.9),
  every: intervalSchema.default(100),
  fraction: fractionSchema.default(0.5),
  from: untilSchema.default(0),
  until: untilSchema.default(0.7),
  fractionSchedule: fractionScheduleSchema.default('cosine'),
  skipUpdate: flag().default(true),
  trackExploration: trackExplorationSchema,
}

export const granetSchema = object({ type: z.literal('granet'), ...shape })
const granetOptions = object(shape)

/**
 * GraNet (Liu et al., NeurIPS 2021, "Sparse training via boosting pruning plasticity with neuroregeneration"): starts
 * with the network's own sparsity and prunes, smallest magnitude first over all sparse layers together, to the sparsity
 * s_final + (s_start - s_final)(1 - p)^3 with p from 0 at `from` to 1 at the last rewiring; then the fraction of each
 * layer's rest is dropped too and as many connections grow where the dense gradient is largest, as RigL does. The number
 * of connections falls. That regeneration ends with pruning is ours.
 *
 * In training: ERR_ESPALIER_OPTION before the first step where the network is sparser than finalSparsity or no rewiring
 * lies in the time given, and at a rewiring that would leave a layer without a connection.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function granet(options: GranetOptions = {}): GranetRule {
  const rule = parse('granet', granetOptions, options)
  if (rule.from >= rule.until)
    throw impossible('granet', 'from', rule.from, `allowed: less than until, which is ${rule.until}`)
  return freeze({ type: 'granet', ...rule })
}

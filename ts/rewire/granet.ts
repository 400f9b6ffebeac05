import { z } from 'zod'
import { type Clash, flag, freeze, object, parse, real, together } from '../validation.js'
import { type MovingOptions, type MovingRule, movingShape, untilSchema } from './shared.js'

/** The rule that `granet` makes. */
export interface GranetRule extends MovingRule {
  readonly type: 'granet'
  readonly finalSparsity: number
  readonly from: number
  readonly skipUpdate: boolean
}

/** Defaults: every 100, fraction 0.5, until 0.7, fractionSchedule 'cosine'. */
export interface GranetOptions extends MovingOptions {
  /** Share of the weights of all sparse layers that do not exist in the end; 0 <= finalSparsity < 1. Default 0.9. */
  finalSparsity?: number
  /** Share of training before which nothing moves, 0 to 1. Default 0. */
  from?: number
  /** No optimizer step on a rewiring step. Default true. */
  skipUpdate?: boolean
}

const shape = {
  ...movingShape({ every: 100, fraction: 0.5, until: 0.7, fractionSchedule: 'cosine' }),
  finalSparsity: real({ from: 0, below: 1 }).default(0.9),
  from: untilSchema.default(0),
  skipUpdate: flag().default(true),
}

export const granetSchema = together(object({ type: z.literal('granet'), ...shape }), clashOfTimes)
const granetOptions = together(object(shape), clashOfTimes)

/**
 * GraNet (Liu et al., NeurIPS 2021, "Sparse training via boosting pruning plasticity with neuroregeneration"): starts
 * with the network's own sparsity and prunes, smallest magnitude first over all sparse layers together, to the sparsity
 * s_final + (s_start - s_final)(1 - p)^3 with p from 0 at `from` to 1 at the last rewiring; then the fraction of each
 * layer's rest is dropped too and as many connections grow where the dense gradient is largest, as RigL does. The number
 * of connections falls. The paper rewires every 1,000 steps. That regeneration ends with pruning is ours.
 *
 * In training: ERR_ESPALIER_OPTION before the first step where the network is sparser than finalSparsity or no rewiring
 * lies in the time given, and at a rewiring that would leave a layer without a connection.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function granet(options: GranetOptions = {}): GranetRule {
  return freeze({ type: 'granet', ...parse('granet', granetOptions, options) })
}

function clashOfTimes({ from, until }: { from: number; until: number }): Clash<'from'> | null {
  return from < until ? null : { option: 'from', reason: `allowed: less than until, which is ${until}` }
}

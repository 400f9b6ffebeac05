import { z } from 'zod'
import { flag, freeze, object, parse, real } from '../validation.js'
import { type MovingOptions, type MovingRule, movingShape } from './shared.js'

/** The rule that `mest` makes. */
export interface MestRule extends MovingRule {
  readonly type: 'mest'
  readonly lambda: number
  readonly softBound: boolean
}

/** Defaults: every 'epoch', fraction 0.2, until 0.75, fractionSchedule 'cosine'. */
export interface MestOptions extends MovingOptions {
  /** What a gradient counts for beside a weight, >= 0. Default 0.01. */
  lambda?: number
  /**
   * EM&S: new connections are trained beside the old ones until the next rewiring, which drops the least important of
   * all. A layer then holds up to `fraction` more connections than the topology laid, until the last rewiring takes them
   * away. Default false.
   */
  softBound?: boolean
}

const shape = {
  ...movingShape({ every: 'epoch', fraction: 0.2, until: 0.75, fractionSchedule: 'cosine' }),
  lambda: real({ from: 0, to: 1e30 }).default(0.01),
  softBound: flag().default(false),
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

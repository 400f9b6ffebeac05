import { z } from 'zod'
import { flag, freeze, object, parse } from '../validation.js'
import { type MovingOptions, type MovingRule, movingShape } from './shared.js'

/** The rule that `invertedRigl` makes. */
export interface InvertedRiglRule extends MovingRule {
  readonly type: 'invertedRigl'
  readonly skipUpdate: boolean
}

/** Defaults: every 100, fraction 0.3, until 0.75, fractionSchedule 'cosine'. */
export interface InvertedRiglOptions extends MovingOptions {
  /** No optimizer step on a rewiring step. Default true. */
  skipUpdate?: boolean
}

const shape = {
  ...movingShape({ every: 100, fraction: 0.3, until: 0.75, fractionSchedule: 'cosine' }),
  skipUpdate: flag().default(true),
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

import { z } from 'zod'
import { flag, freeze, object, parse, real } from '../validation.js'
import { type MovingOptions, type MovingRule, movingShape } from './shared.js'

/** The rule that `srigl` makes. */
export interface SriglRule extends MovingRule {
  readonly type: 'srigl'
  readonly minimumSalient: number
  readonly skipUpdate: boolean
}

/** Defaults: every 100, fraction 0.3, until 0.75, fractionSchedule 'cosine'. */
export interface SriglOptions extends MovingOptions {
  /** Share of its fan-in that must be salient for a hidden neuron to live, 0 to 1; 0: all live. Default 0.3. */
  minimumSalient?: number
  /** No optimizer step on a rewiring step. Default true. */
  skipUpdate?: boolean
}

const shape = {
  ...movingShape({ every: 100, fraction: 0.3, until: 0.75, fractionSchedule: 'cosine' }),
  minimumSalient: real({ from: 0, to: 1 }).default(0.3),
  skipUpdate: flag().default(true),
}

export const sriglSchema = object({ type: z.literal('srigl'), ...shape })
const sriglOptions = object(shape)

/**
 * SRigL (Lasby et al., ICLR 2024, "Dynamic sparse training with structured sparsity"): RigL whose neurons keep the same
 * fan-in. The smallest weights of a layer are dropped, and every neuron grows where its own gradient is largest until
 * all have the same fan-in again. A neuron is removed when fewer than max(1, minimumSalient x fan-in) of its positions
 * are salient: weights that are not among the layer's smallest, and places without one whose gradient is among as many
 * largest. Its connections go to the others, whose fan-in grows.
 *
 * It begins with a network of topology `constantFanIn()`. Ours: fan-ins may differ by one where the number of connections
 * does not divide, so that it stays exact; so many neurons live, the more salient, that their layer and the one above
 * have room for their connections; a removed neuron never comes back, loses its outgoing connections too, and the layer
 * above makes up for those by its own gradient; neurons of the output layer are never removed. With blocks a neuron is a
 * row of blocks, or as many rows as the blocks of the layer above cover.
 *
 * In training, before the first step: ERR_ESPALIER_OPTION where neurons of a layer differ in fan-in by more than one, and
 * where a removed neuron would not stay without effect (sigmoid below a dense layer).
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function srigl(options: SriglOptions = {}): SriglRule {
  return freeze({ type: 'srigl', ...parse('srigl', sriglOptions, options) })
}

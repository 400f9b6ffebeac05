import { z } from 'zod'
import { flag, freeze, object, oneOf, parse } from '../validation.js'

/** The rule that `snip` makes. */
export interface SnipRule {
  readonly type: 'snip'
  readonly budget: 'layer' | 'network'
  readonly redraw: boolean
}

/** Options of `snip`. */
export interface SnipOptions {
  /**
   * Whose connections are compared: 'layer', each sparse layer keeps as many as the topology laid; 'network', all keep
   * together as many as were laid in all, wherever they lie, as in the paper. Default 'layer'.
   */
  budget?: 'layer' | 'network'
  /**
   * Draw the kept weights anew for the fan-in that is left, from the same random numbers: then they are the dense
   * network's, scaled. Default false: they stay as they are in the dense network, as in the paper.
   */
  redraw?: boolean
}

const shape = {
  budget: oneOf(['layer', 'network']).default('layer'),
  redraw: flag().default(false),
}

export const snipSchema = object({ type: z.literal('snip'), ...shape })
const snipOptions = object(shape)

/**
 * SNIP (Lee, Ajanthan and Torr, ICLR 2019, "SNIP: single-shot network pruning based on connection sensitivity"): before
 * the first step the dense network of the same description and seed sees the first batch, and the connections with the
 * largest |g x w| are kept; nothing moves afterwards. Dropout and DropConnect leave nothing out for that moment. Of blocks,
 * the sums of squares are compared. Where the topology had laid connections has no effect, only how many.
 *
 * The dense network is there for that moment: 8 bytes a position for weights and gradients, and a batch's activations.
 *
 * In training, before the first step: ERR_ESPALIER_OPTION for a network that was trained already, and with budget
 * 'network' where blocks differ in shape from layer to layer or a layer would be left without a connection.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function snip(options: SnipOptions = {}): SnipRule {
  return freeze({ type: 'snip', ...parse('snip', snipOptions, options) })
}

import { z } from 'zod'
import { freeze, MAX_WIDTH, object, parse, whole } from '../validation.js'
import { type InputPlacement, inputPlacementSchema } from './shared.js'

/** The topology that `fanIn` makes. */
export interface FanInTopology {
  readonly type: 'fanIn'
  readonly counts: readonly (readonly number[])[]
  readonly placement: InputPlacement
}

/** Options of `fanIn`. */
export interface FanInOptions {
  /** For each sparse layer the fan-in of each neuron, 0 to its inputs; of a layer of blocks, the blocks of each block row. */
  counts: readonly (readonly number[])[]
  /** Which inputs each neuron gets. Default 'random'. */
  placement?: InputPlacement
}

const allowed = 'a list of fan-ins for each sparse layer'
const count = whole({ from: 0, to: MAX_WIDTH })
const shape = {
  counts: z
    .array(z.array(count, { error: allowed }).min(1, { error: allowed }).readonly(), { error: allowed })
    .min(1, { error: allowed })
    .readonly(),
  placement: inputPlacementSchema.default('random'),
}

export const fanInSchema = object({ type: z.literal('fanIn'), ...shape })
const fanInOptions = object(shape)

/**
 * Fan-in given for every neuron. It decides how many connections there are: the network is given no `sparsity`, and its
 * sparse layers have none of their own.
 *
 * @throws ERR_ESPALIER_OPTION; and `new Network` where the counts do not fit its layers
 */
export function fanIn(options: FanInOptions): FanInTopology {
  return freeze({ type: 'fanIn', ...parse('fanIn', fanInOptions, options) })
}

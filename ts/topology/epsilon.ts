import { z } from 'zod'
import { freeze, object, parse, real } from '../validation.js'

/** The topology that `epsilon` makes. */
export interface EpsilonTopology {
  readonly type: 'epsilon'
  readonly epsilon: number
}

const shape = { epsilon: real({ above: 0, to: 1e6 }) }

export const epsilonSchema = object({ type: z.literal('epsilon'), ...shape })

/**
 * Density of a layer = epsilon (in + out) / (in x out), at most 1: SET's own form (Mocanu et al., 2018). The sparsity
 * of the network follows from it. Positions are drawn at random.
 *
 * @param value epsilon > 0; SET uses 20
 * @throws ERR_ESPALIER_OPTION
 */
export function epsilon(value = 20): EpsilonTopology {
  return freeze({ type: 'epsilon', ...parse('epsilon', object(shape), { epsilon: value }) })
}

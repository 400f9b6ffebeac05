import { z } from 'zod'
import { freeze, object, oneKind, parse, real } from '../validation.js'

/** Where the connections of the sparse layers are laid before training. */
export type Topology =
  | { readonly type: 'uniform' }
  | { readonly type: 'erdosRenyi' }
  | { readonly type: 'epsilon'; readonly epsilon: number }

const epsilonValue = real({ above: 0, to: 1e6 })

export const topologySchema: z.ZodType<Topology> = oneKind(
  [
    object({ type: z.literal('uniform') }),
    object({ type: z.literal('erdosRenyi') }),
    object({ type: z.literal('epsilon'), epsilon: epsilonValue }),
  ],
  'uniform(), erdosRenyi(), epsilon(20)',
)

/** Every sparse layer gets the sparsity of the network. */
export function uniform(): Topology {
  return freeze({ type: 'uniform' })
}

/**
 * Density of a layer in proportion to (in + out) / (in x out), scaled by one factor so that all sparse layers
 * together meet the sparsity of the network; a layer that would exceed density 1 becomes dense and the factor is
 * found again (Erdos-Renyi of Mocanu et al., 2018, as scaled by Evci et al., 2020).
 */
export function erdosRenyi(): Topology {
  return freeze({ type: 'erdosRenyi' })
}

/**
 * Density of a layer = epsilon (in + out) / (in x out), at most 1: SET's own form (Mocanu et al., 2018). The sparsity
 * of the network follows from it.
 *
 * @param value epsilon > 0; SET uses 20
 * @throws ERR_ESPALIER_OPTION
 */
export function epsilon(value = 20): Topology {
  return freeze({
    type: 'epsilon',
    ...parse('epsilon', object({ epsilon: epsilonValue }), { epsilon: value }),
  })
}

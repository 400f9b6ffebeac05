import { z } from 'zod'
import { freeze, object } from '../validation.js'

/** The topology that `erdosRenyi` makes. */
export interface ErdosRenyiTopology {
  readonly type: 'erdosRenyi'
}

export const erdosRenyiSchema = object({ type: z.literal('erdosRenyi') })

/**
 * Density of a layer in proportion to (in + out) / (in x out), scaled by one factor so that all sparse layers
 * together meet the sparsity of the network; a layer that would exceed density 1 becomes dense and the factor is
 * found again (Erdos-Renyi of Mocanu et al., 2018, as scaled by Evci et al., 2020). Positions are drawn at random.
 */
export function erdosRenyi(): ErdosRenyiTopology {
  return freeze({ type: 'erdosRenyi' })
}

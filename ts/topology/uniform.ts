import { z } from 'zod'
import { freeze, object } from '../validation.js'

/** The topology that `uniform` makes. */
export interface UniformTopology {
  readonly type: 'uniform'
}

export const uniformSchema = object({ type: z.literal('uniform') })

/** Every sparse layer gets the sparsity of the network, at positions drawn at random. */
export function uniform(): UniformTopology {
  return freeze({ type: 'uniform' })
}

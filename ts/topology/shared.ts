import { oneOf } from '../validation.js'

/**
 * Which inputs a neuron of a given fan-in gets. `golden`: neuron i starts at phi_i = floor(i x 1.6180339887 x in) mod
 * in, and its k inputs are (phi_i + floor(j x in / k)) mod in for j < k: spread evenly, distinct, without a random
 * number. `random`: drawn without replacement. The offsets phi_i are those of Tomczak (arXiv 2604.10560), where they
 * are connections themselves and collide; which inputs follow from one is ours.
 */
export type InputPlacement = 'golden' | 'random'

/** How the weights are shared among the sparse layers, as `erdosRenyi()` and `uniform()` do. */
export type LayerDensity = 'erdosRenyi' | 'uniform'

export const inputPlacementSchema = oneOf(['golden', 'random'])
export const layerDensitySchema = oneOf(['erdosRenyi', 'uniform'])

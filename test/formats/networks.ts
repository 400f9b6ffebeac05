import { type Espalier, networksOf, noisyNetwork, noisySamples } from '../../bench/interchange/networks.js'
import * as espalier from '../../lib/index.js'

/** A network for every kind of layer, activation and loss, by what it is there for. */
export const networkOptions = networksOf(espalier)

/** The network with other numbers than zeros for everything that is trained. */
export const randomNetwork = (options: Parameters<Espalier['denseTwin']>[0]) =>
  noisyNetwork(espalier, options)

export const samples = noisySamples

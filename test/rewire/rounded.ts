import type { NetworkSnapshot } from '../../lib/index.js'
import { type Weights, weightsOf } from './support.js'

/** The weights of a layer to six decimals: steps of a rate next to nothing leave no trace in a new connection. */
export function roundedWeights(snapshot: NetworkSnapshot, layer: number): Weights {
  const round = (weight: number | null) => (weight === null ? null : Math.round(weight * 1e6) / 1e6 + 0)
  return weightsOf(snapshot, layer).map((row) => row.map(round))
}

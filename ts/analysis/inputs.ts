import type { LayerRecord } from '../report/run-record.js'
import { hasWeights } from './dead-neurons.js'

/** Connections of each input of the network; null where the first layer with weights is dense. */
export function inputConnections(layers: readonly LayerRecord[]): number[] | null {
  return layers.find(hasWeights)?.fanOut ?? null
}

/** How much of the network looks at one of its inputs. */
export interface RankedInput {
  index: number
  name: string
  connections: number
  /** Of all connections that the inputs keep, 0..1; 0 where there are none. */
  share: number
}

/** Inputs from most to fewest connections, equals in order of their index: which features the network chose. */
export function rankInputs(counts: readonly number[], names: readonly string[] | null): RankedInput[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts
    .map((connections, index) => ({
      index,
      name: names?.[index] ?? `input ${index}`,
      connections,
      share: total === 0 ? 0 : connections / total,
    }))
    .sort((a, b) => b.connections - a.connections || a.index - b.index)
}

import type { LayerRecord } from '../report/run-record.js'
import { hasWeights } from './dead-neurons.js'

/** Connections of each input of the network; null where the first layer with weights is dense. */
export function inputConnections(layers: readonly LayerRecord[]): number[] | null {
  return layers.find(hasWeights)?.fanOut ?? null
}

/** Inputs from most to fewest connections, equals in order of their index. */
export function rankInputs(
  counts: readonly number[],
  names: readonly string[] | null,
): { index: number; name: string; connections: number }[] {
  return counts
    .map((connections, index) => ({ index, name: names?.[index] ?? `input ${index}`, connections }))
    .sort((a, b) => b.connections - a.connections || a.index - b.index)
}

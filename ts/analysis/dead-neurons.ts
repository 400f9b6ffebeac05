import type { LayerRecord } from '../report/run-record.js'

/**
 * Hidden neurons that nothing reaches (no connection in) or that reach nothing (no connection out): they carry no
 * information. One number per layer, of its outputs; null for layers without weights and for the last one with
 * weights, whose outputs are the network's.
 */
export function deadNeurons(layers: readonly LayerRecord[]): (number | null)[] {
  return layers.map((layer, index) => {
    if (!hasWeights(layer)) return null
    const next = layers.slice(index + 1).find(hasWeights)
    if (next === undefined) return null
    let dead = 0
    for (let neuron = 0; neuron < layer.outputs; neuron++) {
      // A dense layer has no counts, and every connection.
      if ((layer.fanIn?.[neuron] ?? 1) === 0 || (next.fanOut?.[neuron] ?? 1) === 0) dead++
    }
    return dead
  })
}

/** Whether a layer has connections at all. */
export const hasWeights = ({ type }: LayerRecord): boolean => type === 'sparse' || type === 'dense'

import { z } from 'zod'
import { EspalierError } from '../../errors.js'
import type { NetworkOptions } from '../../model/description.js'
import { dense, type Layer } from '../../model/layers.js'
import { Network } from '../../model/network.js'
import { staticTopology } from '../../rewire/static.js'
import { object } from '../../validation.js'
import type { PreparationKind } from './preparation.js'

/** The control of equal size: see `denseTwin`. */
export interface DenseTwin {
  readonly type: 'denseTwin'
}

/**
 * A dense network with as many weights as the sparse one, biases left out of both: every hidden layer is made narrower by one
 * common factor, the largest that does not exceed the sparse network's weights, and rounded down to whole neurons. What
 * reviewers of sparse training ask for: does sparsity help, or would a smaller dense network do? Notes its widths and weights.
 */
export const denseTwin: PreparationKind<DenseTwin> = {
  schema: object({ type: z.literal('denseTwin') }),

  async prepare(run) {
    using sparse = new Network(run.network)
    const wanted = sparse.summary().reduce((sum, { connections }) => sum + connections, 0)
    // Weights grow with the factor, so halving finds the largest factor that fits.
    let [low, high] = [0, 1]
    for (let halvings = 0; halvings < 40; halvings++) {
      const middle = (low + high) / 2
      if (weightsOf(narrowed(run.network, middle)) <= wanted) low = middle
      else high = middle
    }
    const network = narrowed(run.network, low)
    const weights = weightsOf(network)
    if (weights > wanted) {
      throw new EspalierError(
        'ERR_ESPALIER_OPTION',
        `denseTwin: no dense network of this depth has only ${wanted} weights; the smallest has ${weights}`,
      )
    }
    const notes = { ...run.notes, denseTwin: { widths: hiddenWidths(network), weights, wanted } }
    return { ...run, network, fit: { ...run.fit, rewire: staticTopology() }, notes }
  },
}

/** The network with dense layers, the hidden ones `factor` times as wide, but at least one neuron. */
function narrowed(network: NetworkOptions, factor: number): NetworkOptions {
  const { sparsity, topology, ...rest } = network
  const last = network.layers.length - 1
  const layers = network.layers.map((layer, index): Layer => {
    if (layer.type !== 'sparse' && layer.type !== 'dense') return layer
    const outputs = index === last ? layer.outputs : Math.max(1, Math.floor(layer.outputs * factor))
    const { activation, bias, initialization } = layer
    return dense(outputs, { activation, bias, initialization })
  })
  return { ...rest, layers }
}

function hiddenWidths({ layers }: NetworkOptions): number[] {
  return layers.slice(0, -1).flatMap((layer) => ('outputs' in layer ? [layer.outputs] : []))
}

/** Weights of a network without sparse layers. */
function weightsOf({ inputs, layers }: NetworkOptions): number {
  let width = inputs
  let weights = 0
  for (const layer of layers) {
    if (!('outputs' in layer)) continue
    weights += width * layer.outputs
    width = layer.outputs
  }
  return weights
}

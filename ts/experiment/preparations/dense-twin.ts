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
 * A dense network with as many trained numbers as the sparse one: every hidden layer is made narrower by one common factor,
 * and every sparse layer dense. The factor is the largest that does not exceed the sparse network's parameters, so the twin
 * falls short by less than one neuron in each layer. What reviewers of sparse training ask for: does sparsity help, or would
 * a smaller dense network do?
 */
export const denseTwin: PreparationKind<DenseTwin> = {
  schema: object({ type: z.literal('denseTwin') }),

  async prepare(run) {
    using sparse = new Network(run.network)
    const wanted = sparse.summary().reduce((sum, { parameters }) => sum + parameters, 0)
    // Parameters grow with the factor, so halving finds the largest factor that fits.
    let [low, high] = [0, 1]
    for (let halvings = 0; halvings < 40; halvings++) {
      const middle = (low + high) / 2
      if (parametersOf(narrowed(run.network, middle)) <= wanted) low = middle
      else high = middle
    }
    const network = narrowed(run.network, low)
    const parameters = parametersOf(network)
    if (parameters > wanted) {
      throw new EspalierError(
        'ERR_ESPALIER_OPTION',
        `denseTwin: no dense network of this depth has only ${wanted} parameters; the least has ${parameters}`,
      )
    }
    const widths = hiddenWidths(network)
    const notes = { ...run.notes, denseTwin: { widths, parameters, wanted } }
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

/** Trained numbers of a network without sparse layers. */
function parametersOf({ inputs, layers }: NetworkOptions): number {
  let width = inputs
  let parameters = 0
  for (const layer of layers) {
    if (layer.type === 'layerNorm') parameters += 2 * width
    if (!('outputs' in layer)) continue
    const perNeuron = width + (layer.bias ? 1 : 0) + (layer.activation.type === 'srelu' ? 4 : 0)
    parameters += perNeuron * layer.outputs
    width = layer.outputs
  }
  return parameters
}

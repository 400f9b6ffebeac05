import { EspalierError } from '../errors.js'
import { type NetworkDescription, type NetworkOptions, readNetworkOptions } from './description.js'
import { dense, type Layer } from './layers.js'
import { Network } from './network.js'

/**
 * The control with as many parameters: a dense network of the same depth whose hidden widths are those of a sparse
 * network times one factor, at most 1, rounded down to whole neurons (one at least). The factor is the largest with
 * which the dense network has no more weights than the sparse one has, biases left out of both. Everything else
 * (activations, dropout, loss, seed, device) is kept.
 *
 * @param options of a network with sparse layers; it is built once, on the processor, to count its connections
 * @returns options of the dense one
 * @throws ERR_ESPALIER_OPTION for options that `new Network` refuses, and where even hidden layers of one neuron each
 * would have more weights than the sparse network
 */
export function denseTwin(options: NetworkOptions): NetworkOptions {
  const { description } = readNetworkOptions('denseTwin', options, false)
  const budget = countConnections(options)
  const fewest = countWeights(description, 0)
  if (fewest > budget) {
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `denseTwin: the sparse network has ${budget} weights, and the smallest dense one of its depth, with hidden ` +
        `layers of one neuron, has ${fewest}; allowed: a lower sparsity, or wider layers`,
    )
  }
  const factor = largestFactor((candidate) => countWeights(description, candidate) <= budget)
  const widths = scaledWidths(description, factor)
  const { sparsity: _, topology: __, ...rest } = options
  return { ...rest, layers: description.layers.map((layer, i) => asDense(layer, widths[i]!)) }
}

function countConnections(options: NetworkOptions): number {
  using network = new Network({ ...options, device: 'cpu' })
  return network.summary().reduce((sum, { connections }) => sum + connections, 0)
}

/** Outputs of every layer with the hidden ones scaled. */
function scaledWidths({ inputs, layers }: NetworkDescription, factor: number): number[] {
  let width = inputs
  return layers.map((layer, i) => {
    if ('outputs' in layer) {
      const last = i + 1 === layers.length
      width = last ? layer.outputs : Math.max(1, Math.floor(factor * layer.outputs))
    }
    return width
  })
}

/** Weights of the dense network of these widths. */
function countWeights(description: NetworkDescription, factor: number): number {
  const widths = scaledWidths(description, factor)
  return description.layers.reduce((sum, layer, i) => {
    const inputs = i === 0 ? description.inputs : widths[i - 1]!
    return 'outputs' in layer ? sum + inputs * widths[i]! : sum
  }, 0)
}

/** The largest number in 0..1 that `fits`, which 0 does and which none does beyond one that does not. */
function largestFactor(fits: (factor: number) => boolean): number {
  if (fits(1)) return 1
  let [low, high] = [0, 1]
  for (;;) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) return low
    if (fits(middle)) low = middle
    else high = middle
  }
}

function asDense(layer: Layer, outputs: number): Layer {
  if (layer.type !== 'sparse' && layer.type !== 'dense') return layer
  const { activation, bias, initialization, dropConnect } = layer
  return dense(outputs, { activation, bias, initialization, dropConnect })
}

import {
  type ActivationOption,
  dense,
  dropout,
  layerNorm,
  Network,
  type NetworkOptions,
  sparse,
} from '../../lib/index.js'
import { random } from '../model/support.js'

const activations: readonly ActivationOption[] = [
  'linear',
  'relu',
  { type: 'leakyRelu', alpha: 0.2 },
  'allRelu',
  'srelu',
  'tanh',
  'sigmoid',
  'gelu',
  'silu',
]

/** A network for every kind of layer, activation and loss, by what it is there for. */
export const networkOptions: Readonly<Record<string, NetworkOptions>> = {
  ...Object.fromEntries(
    activations.map((activation) => [
      typeof activation === 'string' ? activation : activation.type,
      // Two layers of each, since All-ReLU alternates.
      {
        inputs: 9,
        layers: [sparse(14, { activation }), sparse(11, { activation }), dense(3)],
        sparsity: 0.5,
      },
    ]),
  ),
  normalised: {
    inputs: 9,
    layers: [
      layerNorm(),
      sparse(12),
      layerNorm({ epsilon: 0.01 }),
      dropout(0.3),
      dense(5, { dropConnect: 0.2 }),
    ],
    sparsity: 0.6,
  },
  blocks: {
    inputs: 9,
    layers: [sparse(14, { block: '4x4', bias: false }), sparse(10, { block: '4x1' }), dense(2)],
    sparsity: 0.5,
    loss: 'binaryCrossEntropy',
  },
  masked: {
    inputs: 9,
    layers: [sparse(14, { masked: true, activation: 'silu' }), dense(4, { bias: false, activation: 'tanh' })],
    sparsity: 0.7,
    loss: 'squaredError',
  },
  single: { inputs: 9, layers: [sparse(4, { activation: 'linear' })], sparsity: 0.5, loss: 'squaredError' },
}

/** The network with random numbers for everything that is trained, biases and normalisation too. */
export async function randomNetwork(options: NetworkOptions, seed = 1): Promise<Network> {
  const draw = random(seed)
  using fresh = new Network({ ...options, device: 'cpu', seed })
  const snapshot = await fresh.snapshot()
  const tensors = snapshot.tensors.map((tensor) =>
    tensor.data instanceof Float32Array && !tensor.name.endsWith('.values')
      ? { ...tensor, data: tensor.data.map((value) => value + draw() - 0.5) }
      : tensor,
  )
  return Network.restore({ ...snapshot, tensors }, { device: 'cpu' })
}

/** Random samples x features. */
export function samples(count: number, features: number, seed = 7): Float32Array {
  const draw = random(seed)
  return Float32Array.from({ length: count * features }, () => 4 * draw() - 2)
}

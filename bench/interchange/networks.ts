import type { ActivationOption, Network, NetworkOptions } from '../../lib/index.js'

export type Espalier = typeof import('../../lib/index.js')

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

/** Options of a network for every kind of layer, activation and loss, by what it is there for. */
export function networksOf({ dense, dropout, layerNorm, sparse }: Espalier): Record<string, NetworkOptions> {
  const inputs = 9
  return {
    ...Object.fromEntries(
      activations.map((activation) => [
        typeof activation === 'string' ? activation : activation.type,
        // Two layers of each, since All-ReLU alternates.
        { inputs, layers: [sparse(14, { activation }), sparse(11, { activation }), dense(3)], sparsity: 0.5 },
      ]),
    ),
    normalised: {
      inputs,
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
      inputs,
      layers: [sparse(14, { block: '4x4', bias: false }), sparse(10, { block: '4x1' }), dense(2)],
      sparsity: 0.5,
      loss: 'binaryCrossEntropy',
    },
    masked: {
      inputs,
      layers: [
        sparse(14, { masked: true, activation: 'silu' }),
        dense(4, { bias: false, activation: 'tanh' }),
      ],
      sparsity: 0.7,
      loss: 'squaredError',
    },
    single: { inputs, layers: [sparse(4, { activation: 'linear' })], sparsity: 0.5, loss: 'squaredError' },
    wide: { inputs: 784, layers: [sparse(300), sparse(100), dense(10)], sparsity: 0.9 },
  }
}

/** A number in [-1, 1) that only looks random. */
const noise = (i: number) => {
  const x = Math.sin(12.9898 * (i + 1)) * 43758.5453
  return 2 * (x - Math.floor(x)) - 1
}

/** The network with numbers that look random for everything that is trained, biases and normalisation too. */
export async function noisyNetwork({ Network }: Espalier, options: NetworkOptions): Promise<Network> {
  using fresh = new Network({ ...options, device: 'cpu' })
  const snapshot = await fresh.snapshot()
  const tensors = snapshot.tensors.map((tensor) =>
    // What a block holds beyond the border of its layer has to stay 0.
    tensor.data instanceof Float32Array && !tensor.name.endsWith('.values')
      ? { ...tensor, data: tensor.data.map((value, i) => value + noise(i) / 2) }
      : tensor,
  )
  return Network.restore({ ...snapshot, tensors }, { device: 'cpu' })
}

/** Samples x features, between -2 and 2. */
export function noisySamples(count: number, features: number): Float32Array {
  return Float32Array.from({ length: count * features }, (_, i) => 2 * noise(7 * i))
}

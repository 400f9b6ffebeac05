import { type Dataset, Network, type NetworkOptions, type NetworkSnapshot } from '../../lib/index.js'
import { random } from '../model/support.js'

const draw = random(3)
const below = (count: number) => Math.floor(draw() * count)

/** 16 samples of small whole numbers, so that every sum of every product is exact in any order. */
export const wholeNumbers: Dataset = {
  name: 'whole numbers',
  samples: 16,
  features: 20,
  values: Float32Array.from({ length: 16 * 20 }, () => below(5) - 2),
  targets: Float32Array.from({ length: 16 * 4 }, () => below(9) - 4),
  outputs: 4,
  classes: 0,
}

/** A network for them whose weights are whole numbers, most of them equal in size to many others. */
export async function wholeNetwork(layers: NetworkOptions['layers']): Promise<NetworkSnapshot> {
  using network = new Network({
    inputs: 20,
    layers,
    loss: 'squaredError',
    sparsity: 0.7,
    seed: 9,
    device: 'cpu',
  })
  const snapshot = await network.snapshot()
  for (const { name, data } of snapshot.tensors) {
    if (!(data instanceof Float32Array) || !/\.(values|weight)$/.test(name)) continue
    // Zeros stay: they are what blocks have outside the matrix.
    for (let i = 0; i < data.length; i++)
      if (data[i] !== 0) data[i] = (below(3) + 1) * (below(2) === 0 ? 1 : -1)
  }
  return snapshot
}

import type { LayerGradients } from '../model/gradients.js'
import { fanCounts } from './fan.js'

/**
 * How far a layer's gradients gather at its hubs: the mean |gradient| of the connections into the tenth of the neurons
 * with the largest fan-in, divided by the mean over all connections of the layer. 1 where hubs learn like all others;
 * PSN (arXiv 2604.10560) reports 2 to 5 for structured fan-in profiles and about 1 for uniform ones.
 *
 * Ours, since the paper's text was not at hand: the tenth is rounded up to whole neurons; of equal fan-in those of
 * smaller index come first, so that without hubs it is any tenth; |gradient| is `LayerGradients.weights.magnitude`, of
 * the batches' mean losses in evaluation mode.
 *
 * @returns null for a dense layer, which has no hubs, and where there are no connections or all gradients are 0
 */
export function gradientConcentration({
  pattern,
  weights,
}: Pick<LayerGradients, 'pattern' | 'weights'>): number | null {
  if (pattern === null) return null
  const { fanIn } = fanCounts(pattern)
  const sums = magnitudeSums(pattern, weights.magnitude)
  const byFanIn = fanIn.map((_, neuron) => neuron).sort((a, b) => fanIn[b]! - fanIn[a]! || a - b)
  const hubs = byFanIn.slice(0, Math.ceil(fanIn.length / 10))
  const mean = meanOf(sums, fanIn, byFanIn)
  return mean > 0 ? meanOf(sums, fanIn, hubs) / mean : null
}

/** Sum of the magnitudes into each output; padding holds zeros. */
function magnitudeSums(
  { outputs, rowOffsets, block }: NonNullable<LayerGradients['pattern']>,
  magnitude: Float32Array,
): number[] {
  const [height, width] = block
  const sums = new Array<number>(outputs).fill(0)
  for (let row = 0; row + 1 < rowOffsets.length; row++) {
    const end = Number(rowOffsets[row + 1])
    for (let entry = Number(rowOffsets[row]); entry < end; entry++) {
      for (let i = 0; i < height && row * height + i < outputs; i++) {
        const first = (entry * height + i) * width
        for (let j = first; j < first + width; j++) sums[row * height + i]! += magnitude[j]!
      }
    }
  }
  return sums
}

function meanOf(sums: readonly number[], fanIn: readonly number[], neurons: readonly number[]): number {
  let sum = 0
  let connections = 0
  for (const neuron of neurons) {
    sum += sums[neuron]!
    connections += fanIn[neuron]!
  }
  return connections === 0 ? 0 : sum / connections
}

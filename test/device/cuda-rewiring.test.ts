/** From equal weights and gradients a rewiring gives the same connections on both devices, ties broken the same way. */
import path from 'node:path'
import t, { type Test } from 'tap'
import {
  adam,
  type Dataset,
  dense,
  type FitOptions,
  Network,
  rigl,
  type SparseOptions,
  set,
  sgd,
  sparse,
  writeCheckpoint,
} from '../../lib/index.js'
import { wholeNetwork, wholeNumbers } from '../support/whole-numbers.js'
import { data, noCuda, pair, topologyOf, weightDistance } from './support.js'

/** So small that no weight of a usual size changes by it. */
const learningRate = 1e-30

async function sameTopology(
  t: Test,
  { cpu, cuda }: { cpu: Network; cuda: Network },
  samples: Dataset,
  options: FitOptions,
) {
  const before = topologyOf(await cpu.snapshot())
  const expected = await cpu.fit(samples, { ...options, threads: 1 })
  const result = await cuda.fit(samples, options)
  t.ok(expected.rewirings.length > 0)
  t.strictSame(result.rewirings, expected.rewirings, 'as many moved and returned')
  const [a, b] = [await cpu.snapshot(), await cuda.snapshot()]
  t.strictSame(topologyOf(b), topologyOf(a), 'the same connections')
  t.notSame(topologyOf(a), before, 'and they have moved')
  const apart = weightDistance(a, b)
  t.ok(apart < 1e-5, `weights and optimizer state are ${apart} apart`)
}

const shapes: Record<string, SparseOptions> = {
  '1 x 1': { block: '1x1' },
  '4 x 1': { block: '4x1' },
  '8 x 8': { block: '8x8' },
  '16 x 16': { block: '16x16' },
  '3 x 5': { block: '3x5' },
  '1 x 1, masked': { masked: true },
  '4 x 4, masked': { block: '4x4', masked: true },
}

for (const [name, shape] of Object.entries(shapes)) {
  t.test(`SET, blocks of ${name}`, { skip: noCuda }, async (t) => {
    for (const prune of ['set', 'magnitude'] as const) {
      for (const optimizer of [sgd({ learningRate }), adam({ learningRate })]) {
        const networks = pair({ layers: [sparse(70, shape), sparse(50, shape), dense(4)] })
        const rewire = set({ every: 1, prune })
        await sameTopology(t, networks, data, { epochs: 2, batchSize: 160, optimizer, rewire })
      }
    }
  })

  t.test(`RigL, blocks of ${name}`, { skip: noCuda }, async (t) => {
    const file = path.join(t.testdir(), 'whole.safetensors')
    const layers = [sparse(100, shape), sparse(80, { ...shape, activation: 'linear' }), dense(4)]
    await writeCheckpoint(file, await wholeNetwork(layers))
    const networks = {
      cpu: await Network.load(file, { device: 'cpu' }),
      cuda: await Network.load(file, { device: 'cuda' }),
    }
    // Rewirings at the first two of three steps, none of which moves a weight that counts.
    const rewire = rigl({ every: 1, until: 1, fractionSchedule: 'constant' })
    await sameTopology(t, networks, wholeNumbers, {
      epochs: 3,
      batchSize: 16,
      optimizer: sgd({ learningRate }),
      rewire,
    })
  })
}

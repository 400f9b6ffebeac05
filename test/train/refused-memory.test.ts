/** Memory that is refused in the midst of something leaves the network whole: every refusal that can happen is tried. */
import t from 'tap'
import {
  adam,
  dense,
  mest,
  Network,
  type NetworkSnapshot,
  set,
  setNativeMemoryLimit,
  sgd,
  sparse,
  usage,
} from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'

t.teardown(() => setNativeMemoryLimit(null))

const still = sgd({ learningRate: 1e-30 })

const data = (snapshot: NetworkSnapshot, name: string) =>
  snapshot.tensors.find((tensor) => tensor.name === name)!.data

/** The first weight of every block, by the block's place. */
function weightsByPlace(snapshot: NetworkSnapshot, columns: number): Map<number, unknown> {
  const offsets = data(snapshot, 'layers.0.crow_indices')
  const indices = data(snapshot, 'layers.0.col_indices')
  const values = data(snapshot, 'layers.0.values')
  const each = values.length / indices.length
  const weights = new Map<number, unknown>()
  for (let row = 0; row + 1 < offsets.length; row++) {
    for (let entry = Number(offsets[row]); entry < Number(offsets[row + 1]); entry++)
      weights.set(row * columns + Number(indices[entry]), values[entry * each])
  }
  return weights
}

/** Goes on from `snapshot` with ever more memory until the run is through; tells how often it was refused. */
async function refuse(
  snapshot: NetworkSnapshot,
  step: number,
  fit: (network: Network) => PromiseLike<unknown>,
  check: (after: NetworkSnapshot) => void,
): Promise<number> {
  for (let refusals = 0; ; refusals++) {
    using network = Network.restore(snapshot, { device: 'cpu' })
    setNativeMemoryLimit(usage().nativeBytes + (refusals + 1) * step)
    let refused: unknown
    try {
      await fit(network)
    } catch (error) {
      refused = error
    }
    setNativeMemoryLimit(null)
    check(await network.snapshot())
    if (refused === undefined) return refusals
    if ((refused as { code?: string }).code !== 'ERR_ESPALIER_MEMORY') throw refused
  }
}

t.test('a rewiring: every weight stays with its connection', { skip: noAddon }, async (t) => {
  const samples = clouds(32, 64, 3)
  const settings = { epochs: 3, batchSize: 16, optimizer: still, threads: 1, rewire: set({ every: 2 }) }
  using network = new Network({
    inputs: 64,
    layers: [sparse(128, { block: [16, 16] }), dense(3)],
    sparsity: 0.5,
    device: 'cpu',
  })
  await network.fit(samples, { ...settings, maxSteps: 1 })
  const snapshot = await network.snapshot()
  const before = weightsByPlace(snapshot, 4)
  const refusals = await refuse(
    snapshot,
    4000,
    (again) => again.fit(samples, { resume: true, threads: 1, maxSteps: 1 }),
    (after) => {
      const kept = [...weightsByPlace(after, 4)].filter(([place]) => before.has(place))
      const moved = kept.filter(([place, weight]) => weight !== 0 && weight !== before.get(place))
      t.equal(moved.length, 0, `${kept.length} places as before`)
    },
  )
  t.ok(refusals > 5, `${refusals} refusals`)
})

t.test('one that changes how many there are: values and pattern fit', { skip: noAddon }, async (t) => {
  const samples = clouds(32, 128, 3)
  const rewire = mest({ every: 2, softBound: true })
  using network = new Network({
    inputs: 128,
    layers: [sparse(128, { block: [8, 8] }), dense(3)],
    sparsity: 0.3,
    device: 'cpu',
  })
  await network.fit(samples, { epochs: 3, batchSize: 16, optimizer: still, threads: 1, rewire, maxSteps: 1 })
  const refusals = await refuse(
    await network.snapshot(),
    8000,
    (again) => again.fit(samples, { resume: true, threads: 1, maxSteps: 2 }),
    (after) => {
      t.equal(
        data(after, 'layers.0.values').length,
        64 * data(after, 'layers.0.col_indices').length,
        'a weight for every place',
      )
    },
  )
  t.ok(refusals > 5, `${refusals} refusals`)
})

t.test('a fit with another optimizer: what was there can go on', { skip: noAddon }, async (t) => {
  const samples = clouds(32, 16, 3)
  using network = new Network({
    inputs: 16,
    layers: [sparse(32), dense(200), dense(3)],
    sparsity: 0.3,
    device: 'cpu',
  })
  await network.fit(samples, { epochs: 1, batchSize: 16, optimizer: adam(), threads: 1 })
  const refusals = await refuse(
    await network.snapshot(),
    500,
    async (again) => {
      try {
        await again.fit(samples, { epochs: 1, optimizer: sgd({ momentum: 0.9 }), threads: 1 })
      } catch (error) {
        setNativeMemoryLimit(null)
        await again.fit(samples, { resume: true, epochs: 2, batchSize: 16, threads: 1 })
        throw error
      }
    },
    (after) => {
      const memories = after.tensors.filter(({ name }) => /moment/.test(name))
      t.ok(memories.length > 0 && memories.every(({ data }) => data.length > 0))
    },
  )
  t.ok(refusals > 2, `${refusals} refusals`)
})

import t from 'tap'
import { adam, dense, dropout, importancePruning, Network, set, sparse } from '../../lib/index.js'
import { clouds, noAddon } from './support.js'

const data = clouds(600, 20, 3)

t.test('stats() says what summary(), memory(), plan() and progress say', { skip: noAddon }, async (t) => {
  const network = new Network({
    inputs: 20,
    layers: [sparse(40), dropout(0.1), sparse(30), dense(3)],
    sparsity: 0.8,
    device: 'cpu',
  })
  const before = network.stats()
  t.strictSame(JSON.parse(JSON.stringify(before)), before, 'plain JSON')
  const { total, ...kinds } = before.bytes
  t.strictSame(kinds, network.memory())
  t.equal(
    total,
    Object.values(network.memory()).reduce((sum, bytes) => sum + bytes, 0),
  )
  t.match(before, {
    removedNeurons: 0,
    plan: { device: null, products: [] },
    progress: { epochs: 0, steps: 0, rewirings: 0 },
    training: false,
  })
  // The dense layer counts among the connections, and not for the sparsity.
  const [first, , second] = network.summary()
  t.equal(before.connections, first!.connections + second!.connections + 30 * 3)
  t.ok(Math.abs(before.sparsity - (1 - (before.connections - 90) / (20 * 40 + 40 * 30))) < 1e-12)
  t.ok(Math.abs(before.sparsity - 0.8) < 0.01)
  t.equal(before.parameters, before.connections + 40 + 30 + 3)

  const run = network.fit(data, {
    epochs: 8,
    batchSize: 32,
    optimizer: adam(),
    rewire: set({ neurons: importancePruning({ from: 0, every: 2, percentile: 20 }) }),
  })
  t.equal(network.stats().training, true)
  await run
  const after = network.stats()
  t.match(after, { training: false, plan: network.plan(), progress: network.progress })
  t.equal(after.plan.device, 'cpu')
  t.ok(after.removedNeurons > 0)
  t.ok(after.connections < before.connections && after.sparsity > before.sparsity)
  t.ok(after.bytes.optimizer > 0)
  network.dispose()
  t.throws(() => network.stats(), { code: 'ERR_ESPALIER_STATE', message: 'stats: the network was disposed' })
})

t.test('without a sparse layer the sparsity is 0', { skip: noAddon }, (t) => {
  using network = new Network({ inputs: 4, layers: [dense(3)], device: 'cpu' })
  t.match(network.stats(), { sparsity: 0, connections: 12, parameters: 15 })
  t.end()
})

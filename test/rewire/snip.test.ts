import t from 'tap'
import { dense, dropout, Network, type NetworkSnapshot, sgd, snip, sparse } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { still, weightsOf } from './support.js'

const data = clouds(60, 10, 3)
const first = { activation: 'relu' } as const
const second = { activation: 'tanh' } as const
const make = (seed = 3) =>
  new Network({
    inputs: 10,
    layers: [sparse(12, first), sparse(8, second), dense(3)],
    sparsity: 0.75,
    seed,
    device: 'cpu',
  })

/** Weights and gradients of the dense network of the same seed, by way of one step of SGD at rate 1. */
async function denseNetwork() {
  const network = new Network({
    inputs: 10,
    layers: [dense(12, first), dense(8, second), dense(3)],
    seed: 3,
    device: 'cpu',
  })
  const before = await network.snapshot()
  const optimizer = sgd({ learningRate: 1, momentum: 0 })
  await network.fit(data, { epochs: 1, batchSize: 60, optimizer, threads: 1 })
  return { before, after: await network.snapshot() }
}

const sizesOf = (dense: { before: NetworkSnapshot; after: NetworkSnapshot }, layer: number) => {
  const [weights, moved] = [weightsOf(dense.before, layer).flat(), weightsOf(dense.after, layer).flat()]
  return weights.map((weight, i) => Math.abs(weight! * (weight! - moved[i]!)))
}

const largest = (sizes: number[], count: number) =>
  new Set([...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]!).slice(0, count))

t.test('each layer keeps the most sensitive weights of the dense network', { skip: noAddon }, async (t) => {
  const reference = await denseNetwork()
  const network = make()
  const counts = network.summary().map((layer) => layer.connections)
  const result = await network.fit(data, { epochs: 1, batchSize: 60, optimizer: still, rewire: snip() })
  t.strictSame(result.rewirings, [])
  const after = await network.snapshot()
  for (const layer of [0, 1]) {
    const kept = largest(sizesOf(reference, layer), counts[layer]!)
    const expected = weightsOf(reference.before, layer)
    t.strictSame(
      weightsOf(after, layer).flat(),
      expected.flat().map((weight, i) => (kept.has(i) ? weight : null)),
    )
  }
  t.strictSame(
    network.summary().map((layer) => layer.connections),
    counts,
  )
})

t.test('or all layers together', { skip: noAddon }, async (t) => {
  const reference = await denseNetwork()
  const network = make()
  const counts = network.summary().map((layer) => layer.connections)
  await network.fit(data, { epochs: 1, batchSize: 60, optimizer: still, rewire: snip({ budget: 'network' }) })
  const after = await network.snapshot()
  const kept = largest([...sizesOf(reference, 0), ...sizesOf(reference, 1)], counts[0]! + counts[1]!)
  const weights = [...weightsOf(after, 0).flat(), ...weightsOf(after, 1).flat()]
  t.strictSame(
    weights.flatMap((weight, i) => (weight === null ? [] : [i])),
    [...kept].sort((a, b) => a - b),
  )
  t.notSame(
    network.summary().map((layer) => layer.connections),
    counts,
    'layers gain and lose',
  )
})

t.test('redraw scales weights to the fan-in that is left', { skip: noAddon }, async (t) => {
  const [kept, redrawn] = [make(), make()]
  const options = { epochs: 1, batchSize: 60, optimizer: still }
  await kept.fit(data, { ...options, rewire: snip() })
  await redrawn.fit(data, { ...options, rewire: snip({ redraw: true }) })
  const [plain, scaled] = [weightsOf(await kept.snapshot(), 0), weightsOf(await redrawn.snapshot(), 0)]
  plain.forEach((row, i) => {
    const fanIn = row.filter((weight) => weight !== null).length
    row.forEach((weight, j) => {
      if (weight === null) t.equal(scaled[i]![j], null)
      else t.ok(Math.abs(scaled[i]![j]! / weight - Math.sqrt(10 / fanIn)) < 1e-5)
    })
  })
})

t.test('what training leaves out at random has no say', { skip: noAddon }, async (t) => {
  const patterns = async (rate: number) => {
    const network = new Network({
      inputs: 10,
      layers: [sparse(12, { dropConnect: rate }), dropout(rate), sparse(8), dense(3)],
      sparsity: 0.75,
      seed: 3,
      device: 'cpu',
    })
    await network.fit(data, { epochs: 1, batchSize: 60, optimizer: still, rewire: snip() })
    const { tensors } = await network.snapshot()
    return tensors.filter(({ name }) => name.endsWith('col_indices')).map(({ data }) => [...data])
  }
  t.strictSame(await patterns(0.5), await patterns(0))
})

t.test('blocks', { skip: noAddon }, async (t) => {
  const network = new Network({
    inputs: 10,
    layers: [sparse(13, { block: '4x4' }), sparse(9, { block: '4x4' }), dense(3)],
    sparsity: 0.5,
    device: 'cpu',
  })
  const blocks = async () =>
    [0, 1].map((layer) =>
      network
        .snapshot()
        .then(
          ({ tensors }) => tensors.find(({ name }) => name === `layers.${layer}.col_indices`)!.data.length,
        ),
    )
  const before = await Promise.all(await blocks())
  await network.fit(data, { epochs: 2, batchSize: 60, rewire: snip() })
  t.strictSame(await Promise.all(await blocks()), before)
})

t.test('a network that was trained is not pruned again, but goes on', { skip: noAddon }, async (t) => {
  const network = make()
  await network.fit(data, { epochs: 1, rewire: snip() })
  const before = await network.snapshot()
  await t.rejects(network.fit(data, { epochs: 1, rewire: snip() }), {
    code: 'ERR_ESPALIER_OPTION',
    message:
      'snip prunes a network before its first training, and this one was trained; allowed: a new network, ' +
      'resume: true, or another rule',
  })
  t.same((await network.snapshot()).tensors, before.tensors)
  const result = await network.fit(data, { epochs: 2, resume: true })
  t.match(result, { reason: 'finished', epochs: 2 })
})

t.test('options', async (t) => {
  t.strictSame(snip(), { type: 'snip', budget: 'layer', redraw: false })
  t.throws(() => snip({ budget: 'layers' as 'layer' }), {
    code: 'ERR_ESPALIER_OPTION',
    message: 'snip: option "budget" is "layers"; did you mean "layer"? allowed: layer, network',
  })
})

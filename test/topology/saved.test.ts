import path from 'node:path'
import t from 'tap'
import { readSafetensors } from '../../lib/formats/safetensors.js'
import {
  dense,
  fanIn,
  Network,
  profile,
  readCheckpoint,
  rigl,
  savedTopology,
  sparse,
  spatiallyCoupled,
} from '../../lib/index.js'
import { bits, clouds, noAddon } from '../model/support.js'

const data = clouds(300, 20, 3)
const layers = [sparse(32), sparse(24, { block: '4x2' }), dense(3)]
const fresh = () => new Network({ inputs: 20, layers, sparsity: 0.7, seed: 1, device: 'cpu' })

t.test('the connections of a snapshot, of patterns and of a checkpoint', { skip: noAddon }, async (t) => {
  using trained = fresh()
  await trained.fit(data, { epochs: 2, batchSize: 30, rewire: rigl({ every: 5 }) })
  const file = path.join(t.testdir(), 'trained.safetensors')
  await trained.save(file)
  const patterns = [await trained.pattern(0), await trained.pattern(1)]
  t.notSame(patterns[0], await fresh().pattern(0), 'they have moved')
  for (const source of [await trained.snapshot(), patterns, await readCheckpoint(file)]) {
    using again = new Network({ inputs: 20, layers, topology: savedTopology(source), seed: 7, device: 'cpu' })
    t.strictSame([await again.pattern(0), await again.pattern(1)], patterns)
    t.strictSame(again.description.topology, { type: 'saved' })
    t.match(await again.fit(data, { epochs: 1 }), { reason: 'finished' })
  }
})

t.test(
  'a saved topology survives its own checkpoint, without indices in the metadata',
  { skip: noAddon },
  async (t) => {
    using first = fresh()
    using network = new Network({
      inputs: 20,
      layers,
      topology: savedTopology(await first.snapshot()),
      device: 'cpu',
    })
    const settings = { epochs: 2, batchSize: 30, rewire: rigl({ every: 5 }) }
    await network.fit(data, settings)
    const file = path.join(t.testdir(), 'saved.safetensors')
    await network.save(file)
    const { metadata } = await readSafetensors(file)
    t.match(JSON.parse(metadata['espalier.network']!), { topology: { type: 'saved' } })
    t.ok(metadata['espalier.network']!.length < 2000)
    using loaded = await Network.load(file, { device: 'cpu' })
    t.strictSame(bits(await loaded.snapshot()), bits(await network.snapshot()))
    t.strictSame(loaded.description, network.description)
    await loaded.fit(data, { epochs: 3, resume: true })
    await network.fit(data, { epochs: 3, resume: true })
    t.strictSame(bits(await loaded.snapshot()), bits(await network.snapshot()), 'and goes on bit for bit')
  },
)

t.test('every topology survives a checkpoint', { skip: noAddon }, async (t) => {
  const importance = Array.from({ length: 20 }, (_, i) => i)
  const all = [
    profile({ family: 'powerLaw', cv: [0.4, 0.2] }),
    fanIn({ counts: [Array(32).fill(5), Array(6).fill(4)] }),
    spatiallyCoupled({ importance, blocks: 3, window: 2 }),
  ]
  for (const topology of all) {
    const sparsity = topology.type === 'fanIn' ? {} : { sparsity: 0.7 }
    using network = new Network({ inputs: 20, layers, topology, ...sparsity, device: 'cpu' })
    const file = path.join(t.testdir(), 'model.safetensors')
    await network.save(file)
    using loaded = await Network.load(file, { device: 'cpu' })
    t.strictSame(loaded.description, network.description)
    t.strictSame(bits(await loaded.snapshot()), bits(await network.snapshot()))
  }
})

t.test('patterns that do not fit are refused', { skip: noAddon }, async (t) => {
  using network = fresh()
  const patterns = [await network.pattern(0), await network.pattern(1)] as const
  const make = (topology: ReturnType<typeof savedTopology>, more: object = {}) =>
    new Network({ inputs: 20, layers, topology, device: 'cpu', ...more })
  const option = { code: 'ERR_ESPALIER_OPTION' }
  t.throws(() => make(savedTopology([patterns[0]])), { ...option, message: /it has 1 for 2 sparse layers/ })
  t.throws(() => make(savedTopology([patterns[1], patterns[0]])), {
    ...option,
    message:
      /"topology\.patterns\[0\]" is "24 x 32 in blocks of 4 x 2"; layers\[0\] is 32 x 20 in blocks of 1 x 1$/,
  })
  t.throws(() => make(savedTopology(patterns), { sparsity: 0.5 }), {
    ...option,
    message: /topology saved decides it/,
  })
  t.throws(() => savedTopology([]), { ...option, message: /the pattern of one sparse layer or more/ })
  t.throws(() => savedTopology(null as never), { ...option, message: /a snapshot, or the patterns/ })
  t.throws(() => make({ type: 'saved' }), {
    ...option,
    message: /^new Network: option "topology" is "saved"; .*allowed: savedTopology\(.*Network\.restore\(/,
  })
  const broken = { ...patterns[0], columnIndices: patterns[0].columnIndices.map(() => 3) }
  t.throws(() => make(savedTopology([broken, patterns[1]])), {
    code: 'ERR_ESPALIER_DATA',
    message: /^sparse layer 1 of 2 \(20 inputs, 32 outputs\): columns are not ascending/,
  })
  const empty = { ...patterns[0], rowOffsets: new BigInt64Array(33), columnIndices: new Int32Array() }
  t.throws(() => make(savedTopology([empty, patterns[1]])), {
    ...option,
    message: /^sparse layer 1 of 2 .* is left without a connection$/,
  })
})

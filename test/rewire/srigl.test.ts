import t, { type Test } from 'tap'
import { constantFanIn, dense, Network, type NetworkSnapshot, sparse, srigl } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { roundedWeights } from './rounded.js'
import { crafted, oneSample, removedOf, still } from './support.js'

const linear = { activation: 'linear', bias: false } as const
const rule = { every: 1, until: 1, fraction: 0.34, fractionSchedule: 'constant' } as const
const options = { epochs: 2, batchSize: 1, optimizer: still, threads: 1 }

/** Outputs are 10 and 1.003: the gradient of each weight of the three hidden neurons is 10, 11.003 and 0.01. */
const make = (test: Test) =>
  crafted(
    test,
    { inputs: 5, layers: [sparse(3, linear), sparse(2, linear)], sparsity: 0.5, loss: 'squaredError' },
    {
      0: [
        [5, 4, null, null, null],
        [3, null, -2, null, null],
        [null, 0.1, null, 0.2, null],
      ],
      1: [
        [1, 1, null],
        [null, 1, 0.01],
      ],
    },
  )
const data = oneSample([1, 1, 1, 1, 1], [0, 0])

t.test('a neuron without salient weights goes, with all that came from it', { skip: noAddon }, async (t) => {
  const network = await make(t)
  const result = await network.fit(data, { ...options, rewire: srigl(rule) })
  const after = await network.snapshot()
  t.strictSame(removedOf(after, 0), [2])
  t.strictSame(roundedWeights(after, 0), [
    [5, 4, 0, null, null],
    [3, 0, -2, null, null],
    [null, null, null, null, null],
  ])
  // The second output makes up for the input that it lost.
  t.strictSame(roundedWeights(after, 1), [
    [1, 1, null],
    [0, 1, null],
  ])
  t.match(result.rewirings, [
    {
      step: 1,
      layers: [
        { moved: 2, connections: 6, removedNeurons: 1 },
        { moved: 1, connections: 4, removedNeurons: 0 },
      ],
    },
  ])
})

t.test('or all stay, with the same fan-in', { skip: noAddon }, async (t) => {
  const network = await make(t)
  await network.fit(data, { ...options, rewire: srigl({ ...rule, minimumSalient: 0 }) })
  const after = await network.snapshot()
  t.strictSame(removedOf(after, 0), [])
  // The third neuron lost both; its gradients are equal, so the first two positions win.
  t.strictSame(roundedWeights(after, 0), [
    [5, 4, null, null, null],
    [3, null, -2, null, null],
    [0, 0.1, null, null, null],
  ])
})

t.test('fan-in stays constant through a training that removes neurons', { skip: noAddon }, async (t) => {
  const fanIn = (layer: number, inputs: number) =>
    Array.from({ length: layer }, (_, row) =>
      Array.from({ length: inputs }, (_, column) =>
        (column + row * 5) % inputs < 6 ? Math.sin(row + column * 3) : null,
      ),
    )
  const network = await crafted(
    t,
    { inputs: 20, layers: [sparse(40), sparse(30), dense(3)], sparsity: 0.7, seed: 5 },
    { 0: fanIn(40, 20), 1: fanIn(30, 40) },
  )
  const rewire = srigl({ every: 4, minimumSalient: 0.8, fraction: 0.5 })
  const result = await network.fit(clouds(600, 20, 3), { epochs: 4, batchSize: 30, rewire })
  const after = await network.snapshot()
  for (const layer of [0, 1]) {
    const removed = removedOf(after, layer)
    t.ok(removed.length > 0, `layer ${layer} lost ${removed.length}`)
    const counts = roundedWeights(after, layer).map((row) => row.filter((weight) => weight !== null).length)
    const living = counts.filter((_, row) => !removed.includes(row))
    t.ok(Math.max(...living) - Math.min(...living) <= 1, `fan-in ${living}`)
    t.ok(removed.every((row) => counts[row] === 0))
  }
  const [gone] = [removedOf(after, 0)]
  t.ok(roundedWeights(after, 1).every((row) => gone.every((column) => row[column] === null)))
  const outputs = removedOf(after, 1)
  t.ok(roundedWeights(after, 2).every((row) => outputs.every((column) => row[column] === 0)))
  for (const { layers } of result.rewirings) {
    t.match(layers, [{ connections: 240 }, { connections: 180 }])
  }
})

/** Entries of every block row of a layer. */
function blockFanIns({ tensors }: NetworkSnapshot, layer: number): number[] {
  const offsets = tensors.find(({ name }) => name === `layers.${layer}.crow_indices`)!.data
  return [...offsets.slice(1)].map((end, row) => Number(end) - Number(offsets[row]))
}

t.test('blocks of several shapes, from the topology that it asks for', { skip: noAddon }, async (t) => {
  for (const [lower, upper] of [
    ['4x1', '4x1'],
    ['4x4', '8x8'],
    [
      [2, 3],
      [3, 4],
    ],
  ] as const) {
    const network = new Network({
      inputs: 20,
      layers: [sparse(50, { block: lower }), sparse(41, { block: upper }), dense(3)],
      sparsity: 0.6,
      topology: constantFanIn(),
      seed: 2,
      device: 'cpu',
    })
    const before = await network.snapshot()
    const rewire = srigl({ every: 4, minimumSalient: 0.9, fraction: 0.5 })
    const result = await network.fit(clouds(600, 20, 3), { epochs: 4, batchSize: 30, rewire })
    const after = await network.snapshot()
    t.ok(result.rewirings.length > 10)
    for (const layer of [0, 1]) {
      const [was, is] = [blockFanIns(before, layer), blockFanIns(after, layer)]
      const living = is.filter((count) => count > 0)
      t.equal(
        is.reduce((a, b) => a + b),
        was.reduce((a, b) => a + b),
        `${lower} and ${upper}: as many blocks`,
      )
      t.ok(Math.max(...living) - Math.min(...living) <= 1, `fan-in ${living}`)
    }
    const removed = removedOf(after, 0)
    t.ok(removed.length > 0, `${removed.length} neurons went`)
    // Whole blocks of both layers.
    const [rows, columns] = [lower, upper].map((block) =>
      typeof block === 'string' ? block.split('x').map(Number) : block,
    )
    for (const size of [rows![0]!, columns![1]!]) {
      for (let first = 0; first < 50; first += size) {
        const gone = removed.filter((neuron) => neuron >= first && neuron < first + size).length
        t.ok(gone === 0 || gone === Math.min(size, 50 - first))
      }
    }
  }
})

t.test('what cannot be is said before anything is trained', { skip: noAddon }, async (t) => {
  const network = new Network({ inputs: 8, layers: [sparse(16), dense(2)], sparsity: 0.7, device: 'cpu' })
  const before = await network.snapshot()
  await t.rejects(network.fit(clouds(64, 8, 2), { epochs: 3, rewire: srigl() }), {
    code: 'ERR_ESPALIER_OPTION',
    message:
      'srigl: the neurons of layer 0 differ in fan-in; allowed: a network with topology constantFanIn()',
  })
  t.same((await network.snapshot()).tensors, before.tensors)

  const half = await crafted(
    t,
    {
      inputs: 2,
      layers: [sparse(2, { activation: 'sigmoid' }), dense(1)],
      sparsity: 0.5,
      loss: 'squaredError',
    },
    {
      0: [
        [1, null],
        [null, 1],
      ],
    },
  )
  await t.rejects(half.fit(oneSample([1, 1], [0]), { ...options, rewire: srigl(rule) }), {
    code: 'ERR_ESPALIER_OPTION',
    message: /srigl: layer 0 has the activation sigmoid/,
  })
  await half.fit(oneSample([1, 1], [0]), { ...options, rewire: srigl({ ...rule, minimumSalient: 0 }) })
  t.throws(() => srigl({ minimumSalient: 2 }), {
    code: 'ERR_ESPALIER_OPTION',
    message: 'srigl: option "minimumSalient" is 2; allowed: 0 <= minimumSalient <= 1',
  })
})

t.test('a snapshot that removes every neuron is refused', { skip: noAddon }, async (t) => {
  const samples = clouds(64, 16, 2)
  const layers = [sparse(32), sparse(16), dense(2)]
  const network = new Network({ inputs: 16, layers, sparsity: 0.5, topology: constantFanIn(), device: 'cpu' })
  await network.fit(samples, { epochs: 4, batchSize: 16, rewire: srigl({ every: 2 }), maxSteps: 3 })
  const snapshot = await network.snapshot()
  const removed = { name: 'layers.0.rewire.removed', shape: [32], data: new Int32Array(32).fill(1) }
  const tensors = [...snapshot.tensors.filter(({ name }) => name !== removed.name), removed]
  const hostile = Network.restore({ ...snapshot, tensors }, { device: 'cpu' })
  await t.rejects(hostile.fit(samples, { resume: true }), {
    code: 'ERR_ESPALIER_DATA',
    message: /all neurons of layer [01]/,
  })
})

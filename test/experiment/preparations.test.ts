/** Preparations and measures, inside whole runs. */
import { join } from 'node:path'
import t from 'tap'
import { compare, type FinishedRun, Network, rigl, set, sgd, staticTopology } from '../../lib/index.js'
import { needsAddon } from '../cli/process.js'
import { runFiles, tableFile, tableStudy } from './support.js'

t.test('denseTwin: as many parameters, at each sparsity', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const study = tableStudy(folder, {
    sparsities: [0.5, 0.8],
    seeds: 1,
    network: { hidden: [40, 30], device: 'cpu' },
    fit: { epochs: 1, batchSize: 16, rewire: staticTopology() },
    methods: [{ name: 'sparse' }, { name: 'twin', prepare: [{ type: 'denseTwin' }] }],
  })
  const result = await compare(study, { folder: join(folder, 'out') })
  t.strictSame(
    result.cells.map(({ sparsity }) => sparsity),
    [0.5, 0.8, 0.5, 0.8],
    'the twin runs at each sparsity',
  )
  for (const sparsity of [0.5, 0.8]) {
    const [sparse, twin] = ['sparse', 'twin'].map(
      (method) =>
        result.runs.find(({ job }) => job.method.name === method && job.sparsity === sparsity) as FinishedRun,
    )
    t.ok(twin!.layers.every(({ type }) => type === 'dense'))
    const [wanted, found] = [sparse!.result.connections, twin!.result.connections]
    t.ok(found <= wanted, `${found} <= ${wanted}`)
    const [a, b] = twin!.layers.map(({ outputs }) => outputs)
    t.match(twin!.notes, { denseTwin: { widths: [a, b] } })
    // One neuron more in both hidden layers would be too many.
    const larger = 3 * (a! + 1) + (a! + 1) * (b! + 1) + (b! + 1) * 3
    t.ok(larger > wanted, `${larger} > ${wanted}`)
  }
})

t.test('a preparation that cannot be is an error before anything trains', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const study = tableStudy(folder, {
    sparsities: [0.98],
    network: { hidden: [2, 2], output: { type: 'sparse', activation: 'linear' }, device: 'cpu' },
    methods: [{ name: 'random' }, { name: 'twin', prepare: [{ type: 'denseTwin' }] }],
  })
  await t.rejects(compare(study, { folder: join(folder, 'out') }), {
    code: 'ERR_ESPALIER_OPTION',
    message: /^study: method "twin" on "table": denseTwin: the sparse network has \d+ weights/,
  })
  t.strictSame(runFiles(join(folder, 'out')), [])
})

t.test('equilibrium, learnedTopology and spatiallyCoupled', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const coupling = { type: 'spatiallyCoupled', importance: 'anova', blocks: 5, window: 3 } as const
  const study = tableStudy(folder, {
    datasets: [{ name: 'digits', train: 100, test: 50 }],
    sparsities: [0.9],
    seeds: 1,
    network: { hidden: [30, 20], device: 'cpu' },
    fit: { epochs: 2, batchSize: 16, rewire: rigl({ every: 3 }) },
    methods: [
      { name: 'RigL' },
      { name: 'equilibrium', prepare: [{ type: 'equilibrium', epochs: 2 }] },
      { name: 'fixed', prepare: [{ type: 'learnedTopology' }] },
      { name: 'coupled', prepare: [coupling] },
    ],
    measures: [{ type: 'fanIn' }],
  })
  const result = await compare(study, { folder: join(folder, 'out') })
  t.strictSame(
    result.runs.filter(({ status }) => status === 'failed'),
    [],
  )
  const [moving, equilibrium, fixed, coupled] = result.runs as FinishedRun[]
  for (const run of [equilibrium, fixed, coupled]) {
    t.equal(run!.result.connections, moving!.result.connections, run!.job.method.name)
  }
  const looks = (run: FinishedRun | undefined) =>
    run!.measures.fanIn as unknown as { layers: { cv: number }[] }[]
  const { cv } = (equilibrium!.notes as { equilibrium: { cv: number[] } }).equilibrium
  t.equal(cv.length, 2)
  for (const [i, layer] of looks(equilibrium)[0]!.layers.entries()) {
    t.ok(
      Math.abs(layer.cv - cv[i]!) < 0.1 * cv[i]! + 0.02,
      `it starts at the CV of RigL: ${layer.cv}, ${cv[i]}`,
    )
  }
  t.same(looks(fixed).at(-1)!.layers, looks(moving).at(-1)!.layers, "it has RigL's last connections")
  t.same(looks(fixed)[0]!.layers, looks(fixed).at(-1)!.layers, 'and they stay')
  t.ok(equilibrium!.result.prepareSeconds > 0)
  t.equal(moving!.result.prepareSeconds, 0)
  const tooMany = { ...study, methods: [{ name: 'coupled', prepare: [{ ...coupling, blocks: 50 }] }] }
  await t.rejects(
    compare(tooMany, { folder: join(folder, 'other') }),
    { code: 'ERR_ESPALIER_OPTION', message: /^study: method "coupled" on "digits": .*blocks/ },
    'more blocks than neurons is an error before anything trains',
  )
})

t.test('a preparation that fails fails its run only', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const study = tableStudy(folder, {
    sparsities: [0.5],
    seeds: 1,
    methods: [
      {
        name: 'diverging',
        fit: { optimizer: sgd({ learningRate: 1e30, momentum: 0 }), epochs: 50 },
        prepare: [{ type: 'learnedTopology' }],
      },
      { name: 'random' },
    ],
  })
  const result = await compare(study, { folder: join(folder, 'out') })
  t.match(result.runs[0], { status: 'failed', error: { code: 'ERR_ESPALIER_DIVERGED' } })
  t.equal(result.runs[1]!.status, 'finished')
})

t.test('fanIn and removedNeurons', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const study = tableStudy(folder, {
    sparsities: [0.6],
    seeds: 1,
    network: { hidden: [10], device: 'cpu' },
    fit: { epochs: 3, batchSize: 16 },
    methods: [{ name: 'random' }, { name: 'dense', network: { layer: { type: 'dense' } } }],
    measures: [{ type: 'fanIn', every: 2 }, { type: 'removedNeurons' }],
  })
  const result = await compare(study, { folder: join(folder, 'out') })
  const [random, dense] = result.runs as FinishedRun[]
  const looks = random!.measures.fanIn as unknown as {
    step: number
    layers: { cv: number; mean: number; none: number }[]
  }[]
  t.equal(looks[0]!.step, 0)
  t.equal(looks.at(-1)!.step, 15)
  t.equal(looks.length, 3, 'before, after two epochs, after three')
  t.ok(looks[1]!.step >= 10)
  // 12 of 30 weights over 10 neurons.
  t.equal(looks[0]!.layers[0]!.mean, 1.2)
  t.same(looks[2]!.layers, looks[0]!.layers, 'static')
  const none = looks[2]!.layers[0]!.none
  t.match(random!.measures.removedNeurons, {
    layers: [{ layer: 0, neurons: 10, removed: 0, dead: none }],
  })
  t.equal(result.cells[0]!.measures.fanIn, looks[2]!.layers[0]!.cv)
  t.equal(result.cells[0]!.measures.removedNeurons, 0, 'no rule took any')
  t.match(dense!.measures, {
    fanIn: [{ layers: [] }, {}, {}],
    removedNeurons: { layers: [{ removed: 0, dead: 0 }] },
  })
  t.strictSame(result.cells[1]!.measures, { fanIn: null, removedNeurons: 0 })
})

t.test('gradientConcentration and exploration', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const study = tableStudy(folder, {
    sparsities: [0.6],
    seeds: 1,
    network: { hidden: [20], device: 'cpu' },
    fit: { epochs: 3, batchSize: 16 },
    methods: [{ name: 'SET', fit: { rewire: set({ trackExploration: true }) } }, { name: 'static' }],
    measures: [{ type: 'gradientConcentration', samples: 40 }, { type: 'exploration' }],
  })
  const result = await compare(study, { folder: join(folder, 'out') })
  const [moving] = result.runs as FinishedRun[]
  const looks = moving!.measures.gradientConcentration as unknown as {
    when: string
    layers: { layer: number; concentration: number; cv: number }[]
  }[]
  t.strictSame(
    looks.map(({ when, layers }) => [when, layers.map(({ layer }) => layer)]),
    [
      ['start', [0]],
      ['end', [0]],
    ],
  )
  const { concentration, cv } = looks[0]!.layers[0]!
  t.ok(concentration > 0 && cv > 0)
  t.equal(result.cells[0]!.measures.gradientConcentration, concentration)
  const explored = result.cells[0]!.measures.exploration!
  t.ok(explored > 0.4 && explored <= 1, `of 24 of 60 positions more were tried: ${explored}`)
  t.equal(result.cells[1]!.measures.exploration, null, 'a static run does not explore')
})

t.test('the network of a run is the one that the API makes of the same options', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const result = await compare(tableStudy(folder, { seeds: [7], sparsities: [0.5] }), {
    folder: join(folder, 'out'),
  })
  const { layers } = result.runs[0] as FinishedRun
  using network = new Network({
    inputs: 3,
    layers: result.runs[0]!.job.method.network.layers.map((layer) => ({
      ...layer,
      ...('outputs' in layer && layer.outputs === 'classes' ? { outputs: 3 } : {}),
    })) as never,
    sparsity: 0.5,
    seed: 7,
    device: 'cpu',
  })
  t.same(network.summary(), layers)
})

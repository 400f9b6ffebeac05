/** What a study may say, what follows from it, and which runs it is. */
import t, { type Test } from 'tap'
import { gridOf } from '../../lib/experiment/grid.js'
import { readStudy } from '../../lib/experiment/read-study.js'
import { cosine, dense, erdosRenyi, rigl, type Study, sgd, sparse } from '../../lib/index.js'

const small: Study = {
  name: 'small',
  datasets: ['digits'],
  sparsities: [0.8, 0.9],
  seeds: 3,
  network: { hidden: [32, 16] },
  fit: { epochs: 2 },
  methods: [
    { name: 'rigl', fit: { rewire: rigl() } },
    { name: 'dense', network: { layer: { type: 'dense' } } },
  ],
}

const keys = (study: Study, source = 'digits') =>
  gridOf(readStudy(study), new Map([['digits', source]])).map(({ key }) => key)

t.test('defaults', async (t) => {
  const plan = readStudy({
    name: 'x',
    datasets: ['digits'],
    methods: [{ name: 'a', network: { hidden: [8] } }],
  })
  t.match(plan, {
    sparsities: [0.9],
    seeds: [1, 2, 3, 4, 5],
    split: 'fixed',
    baseline: 'a',
    epoch: 'last',
    measures: [],
    datasets: [{ name: 'digits', as: 'digits', scaling: 'standard' }],
  })
  t.match(plan.methods[0], {
    free: true,
    prepare: [],
    fit: { epochs: 10, batchSize: 128, optimizer: sgd(), shuffle: true, rewire: { type: 'static' } },
    network: { device: 'auto', precision: 'float32', denseFallback: false },
  })
  t.match(plan.methods[0]!.network.layers, [sparse(8), { ...dense(2), outputs: 'classes' }])
})

t.test('the short form, and what is shared', async (t) => {
  const { methods } = readStudy({
    ...small,
    network: {
      hidden: [32, 16],
      layer: { activation: 'allRelu', block: '4x1' },
      dropout: 0.2,
      layerNorm: true,
      topology: erdosRenyi(),
    },
    fit: { epochs: 3, optimizer: sgd({ learningRate: 0.5 }), rewire: rigl(), learningRateSchedule: cosine() },
    methods: [
      { name: 'blocks', fit: { epochs: 4 } },
      { name: 'single', network: { layer: { block: '1x1' } } },
      { name: 'dense', network: { hidden: [5], layer: { type: 'dense' }, dropout: 0 } },
      { name: 'own', network: { layers: [sparse(7), { type: 'dense', outputs: 'classes' }] } },
    ],
  })
  const [blocks, single, dense_, own] = methods
  t.strictSame(
    blocks!.network.layers.map(({ type }) => type),
    ['sparse', 'layerNorm', 'dropout', 'sparse', 'layerNorm', 'dropout', 'dense'],
  )
  t.match(blocks!.network.layers[0], { outputs: 32, block: [4, 1], activation: { type: 'allRelu' } })
  t.match(blocks!.fit, { epochs: 4, optimizer: { learningRate: 0.5 }, rewire: { type: 'rigl' } })
  t.match(single!.network.layers[0], { block: [1, 1], activation: { type: 'allRelu' } })
  t.match(dense_!.fit.rewire, { type: 'static' }, 'a shared rule is not for a method without sparse layers')
  t.equal(dense_!.network.topology, undefined, 'nor a shared topology')
  t.match(dense_!.network.layers[0], { type: 'dense', outputs: 5, activation: { type: 'allRelu' } })
  t.notOk('block' in dense_!.network.layers[0]!, 'nor a shared block')
  t.equal(dense_!.free, false)
  t.equal(dense_!.network.layers.filter(({ type }) => type === 'dropout').length, 0)
  t.equal(own!.network.layers.length, 2, 'its own layers replace the shared short form')
})

t.test('what the sparsity of the grid is for', async (t) => {
  const free = (network: object) =>
    readStudy({ ...small, network: {}, methods: [{ name: 'a', network }] }).methods[0]!.free
  t.equal(free({ hidden: [8] }), true)
  t.equal(free({ hidden: [8], sparsity: 0.5 }), false)
  t.equal(free({ hidden: [8], topology: { type: 'epsilon', epsilon: 13 } }), false)
  t.equal(free({ hidden: [8], layer: { type: 'dense' } }), false)
  t.equal(free({ hidden: [8], layer: { sparsity: 0.5 } }), false)
  t.equal(free({ hidden: [2], topology: { type: 'fanIn', counts: [[1, 2]] } }), false)
})

t.test('the grid', async (t) => {
  const jobs = gridOf(readStudy(small), new Map())
  // Per seed: rigl at two sparsities, dense once.
  t.equal(jobs.length, 9)
  t.equal(new Set(jobs.map(({ key }) => key)).size, 9)
  t.strictSame(
    jobs.slice(0, 4).map(({ method, sparsity, seed }) => [method.name, sparsity, seed]),
    [
      ['rigl', 0.8, 1],
      ['rigl', 0.9, 1],
      ['dense', null, 1],
      ['rigl', 0.8, 2],
    ],
  )
  t.strictSame(new Set(jobs.map(({ dataSeed }) => dataSeed)), new Set([0]))
  const perSeed = gridOf(readStudy({ ...small, split: 'perSeed' }), new Map())
  t.ok(perSeed.every(({ dataSeed, seed }) => dataSeed === seed))
})

t.test('the name of a run follows from what decides its result, and from nothing else', async (t) => {
  const base = keys(small)
  const rename: Study = {
    ...small,
    name: 'other',
    baseline: 'dense twice',
    datasets: [{ name: 'digits', as: 'digits' }],
    methods: [
      { name: 'moving', fit: { rewire: rigl({ every: 100 }) } },
      { name: 'dense twice', network: { hidden: [32, 16], layer: { type: 'dense', activation: 'relu' } } },
    ],
  }
  t.strictSame(keys(rename), base, 'names, and what is a default anyway')
  t.strictSame(keys(JSON.parse(JSON.stringify(small))), base, 'a study from a file')
  t.strictSame(keys({ ...small, seeds: [3] }), base.slice(6), 'other seeds')
  for (const [what, study] of Object.entries({
    method: { ...small, fit: { epochs: 3 } },
    data: { ...small, datasets: [{ name: 'digits', train: 100 }] },
    'shuffled pixels': { ...small, datasets: [{ name: 'digits', permutation: 1 }] },
    scaling: { ...small, datasets: [{ name: 'digits', scaling: 'minmax' as const }] },
    'data seed': { ...small, datasets: [{ name: 'digits', seed: 7 }] },
    split: { ...small, split: 'perSeed' as const },
    measures: { ...small, measures: [{ type: 'fanIn' as const }] },
  })) {
    t.equal(keys(study).filter((key) => base.includes(key)).length, 0, what)
  }
  t.equal(keys(small, 'other contents').filter((key) => base.includes(key)).length, 0, 'contents of a file')
})

/** One study that is refused, and why. */
function refused(t: Test, change: object, message: string | RegExp): void {
  t.throws(() => readStudy({ ...small, ...change }), { code: 'ERR_ESPALIER_OPTION', message })
}

t.test('bad studies', async (t) => {
  refused(t, { sparsity: [0.9] }, 'study: unknown option "sparsity"; it belongs in "sparsities", a list')
  refused(t, { sparsities: [1] }, 'study: option "sparsities[0]" is 1; allowed: 0 <= sparsities[0] < 1')
  refused(t, { sparsites: [0.9] }, 'study: unknown option "sparsites"; did you mean "sparsities"?')
  refused(
    t,
    { methods: [{ name: 'a', netwrok: {} }] },
    'study: unknown option "methods[0].netwrok"; did you mean "methods[0].network"?',
  )
  refused(t, { methods: [] }, 'study: option "methods" is []; allowed: a list of one or more methods')
  refused(
    t,
    { methods: [{ name: 'a', fit: { epochz: 3 } }] },
    'study: method "a": fit: unknown option "epochz"; did you mean "epochs"?',
  )
  refused(
    t,
    { methods: [{ name: 'a', fit: { threads: 3 } }] },
    'study: method "a": option "fit.threads" is 3; it belongs in the options of compare; allowed: absent',
  )
  for (const [name, value] of Object.entries({ maxSteps: 1, maxSeconds: 1, logger: console, observe: [] })) {
    const fit = { [name]: value } as object
    refused(t, { methods: [{ name: 'a', fit }] }, new RegExp(`^study: method "a": option "fit.${name}" is `))
  }
  for (const [name, fit, reason] of [
    [
      'rewire.minimumFraction',
      { rewire: { type: 'rigl', fraction: 0.1, minimumFraction: 0.5 } },
      /0\.5; allowed: up to/,
    ],
    [
      'rewire.minimumFraction',
      { rewire: { type: 'set', minimumFraction: 0.1 } },
      /0\.1; fractionSchedule is/,
    ],
    ['rewire.from', { rewire: { type: 'granet', from: 0.9, until: 0.7 } }, /0\.9; allowed: less than until/],
    [
      'optimizer.nesterov',
      { optimizer: { type: 'sgd', momentum: 0, nesterov: true } },
      /true; it needs momentum/,
    ],
  ] as const) {
    const message = new RegExp(`^study: method "a": fit: option "${name}" is ${reason.source}`)
    refused(t, { methods: [{ name: 'a', fit: fit as object }] }, message)
  }
  refused(
    t,
    { methods: [{ name: 'a', network: { hiden: [3] } }] },
    'study: unknown option "methods[0].network.hiden"; did you mean "methods[0].network.hidden"?',
  )
  refused(
    t,
    { methods: [{ name: 'a', network: { layer: { blok: '4x1' } } }] },
    'study: method "a": network.layer: unknown option "blok"; did you mean "block"?',
  )
  refused(
    t,
    { methods: [{ name: 'a', network: { layers: [sparse(3)], hidden: [3] } }] },
    'study: method "a": option "network.hidden" is [3]; the network has "layers"; allowed: one of the two',
  )
  refused(
    t,
    { network: {} },
    'study: method "rigl": option "network" is an object; it has neither "hidden" nor "layers"; allowed: for example ' +
      '"hidden": [1024, 1024]',
  )
  refused(
    t,
    { methods: [{ name: 'a', prepare: [{ type: 'densetwin' }] }] },
    'study: option "methods[0].prepare[0].type" is "densetwin"; did you mean "denseTwin"? allowed: denseTwin, equilibrium, ' +
      'learnedTopology, spatiallyCoupled',
  )
  const pattern = {
    inputs: 2,
    outputs: 1,
    block: [1, 1],
    rowOffsets: BigInt64Array.of(0n, 1n),
    columnIndices: Int32Array.of(0),
  }
  for (const topology of [{ type: 'saved', patterns: [pattern] }, { type: 'saved' }]) {
    refused(
      t,
      { methods: [{ name: 'a', network: { topology } }] },
      'study: method "a": option "network" is an object; it holds what JSON cannot, and a study is JSON; let a preparation make it',
    )
  }
  refused(
    t,
    { baseline: 'rigle' },
    'study: option "baseline" is "rigle"; did you mean "rigl"? allowed: rigl, dense',
  )
  refused(
    t,
    { methods: [small.methods[0]!, small.methods[0]!] },
    'study: option "methods[1]" is "rigl"; it stands there twice; allowed: each once',
  )
  refused(
    t,
    { datasets: ['digits', { name: 'digits', train: 5 }] },
    'study: option "datasets[1]" is "digits"; it stands there twice (give one of them another name with "as"); allowed: each once',
  )
  refused(
    t,
    { seeds: [] },
    'study: option "seeds" is []; allowed: how many seeds, 1 to 500, or a list of as many whole numbers >= 0',
  )
  refused(
    t,
    { split: 'perSeed', datasets: [{ name: 'digits', seed: 1 }] },
    'study: option "datasets[0].seed" is 1; split is perSeed, which takes the seed of each run; allowed: absent',
  )
  refused(
    t,
    { methods: [{ name: 'a', network: { layer: { type: 'dense' } }, fit: { rewire: rigl() } }] },
    'study: method "a": fit: option "rewire" is "rigl"; the network has no sparse layer; allowed: staticTopology()',
  )
  refused(
    t,
    { name: '../up' },
    'study: option "name" is "../up"; allowed: a name of letters, digits, blanks and . _ - that begins with a letter or digit',
  )
})

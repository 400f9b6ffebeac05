import t from 'tap'
import { describeNetwork, readNetworkOptions } from '../../lib/model/description.js'
import { dense, dropout, layerNorm, sparse } from '../../lib/model/layers.js'
import { readPlacement } from '../../lib/model/placement.js'
import { granet } from '../../lib/rewire/granet.js'
import { pruneNeurons } from '../../lib/rewire/neurons.js'
import { rigl } from '../../lib/rewire/rigl.js'
import { set } from '../../lib/rewire/set.js'
import { staticTopology } from '../../lib/rewire/static.js'
import { epsilon } from '../../lib/topology/epsilon.js'
import { erdosRenyi } from '../../lib/topology/erdos-renyi.js'
import { profile } from '../../lib/topology/profile.js'
import { uniform } from '../../lib/topology/uniform.js'
import { adam, adamw, sgd } from '../../lib/train/optimizer.js'
import { type FitOptions, type FitSettings, readFitOptions } from '../../lib/train/options.js'
import { constant, cosine, oneCycle, stepDecay } from '../../lib/train/schedule.js'

const layers = [sparse(10), dense(3)]
const fit = (options: unknown, last: FitSettings | null = null, hasSparse = true) =>
  readFitOptions(options as FitOptions, last, hasSparse)
const network = (options: unknown) => readNetworkOptions('new Network', options as never).description
const load = (options: unknown) => readPlacement('Network.load', options as never)
/** Calls a builder as plain JavaScript would, past the types. */
const loose = (builder: unknown) => builder as (...values: unknown[]) => unknown

const activations = 'linear, relu, leakyRelu, allRelu, srelu, tanh, sigmoid, gelu, silu'
const width = 'a whole number, 1 <= outputs <= 16777216'
const blocks = '"RxC" or [R, C] with whole numbers from 1 to 64, for example "1x1", "4x1", "4x4", "8x8"'
const kinds = 'sparse(...), dense(...), dropout(...), layerNorm(...)'

const wrong: [what: () => unknown, message: string | RegExp][] = [
  // Misspelt names, the nearest of which is suggested.
  [() => loose(sgd)({ lr: 0.1 }), 'sgd: unknown option "lr"; did you mean "learningRate"?'],
  [() => loose(adamw)({ wd: 0.1 }), 'adamw: unknown option "wd"; did you mean "weightDecay"?'],
  [() => loose(sgd)({ L1: 0.1 }), 'sgd: unknown option "L1"; did you mean "l1"?'],
  [
    () => loose(sgd)({ l2: 0.1 }),
    'sgd: unknown option "l2"; allowed: learningRate, momentum, nesterov, weightDecay, l1',
  ],
  [
    () => fit({ lr: 0.1 }),
    'fit: unknown option "lr"; it belongs in optimizer, for example sgd({ learningRate: 0.1 })',
  ],
  [
    () => fit({ optimizer: { type: 'adam', lr: 0.1 } }),
    'fit: unknown option "optimizer.lr"; did you mean "optimizer.learningRate"?',
  ],
  [
    () => loose(sparse)(1024, { activaton: 'relu' }),
    'sparse(1024): unknown option "activaton"; did you mean "activation"?',
  ],
  [() => loose(sparse)(4, { blok: '4x1' }), 'sparse(4): unknown option "blok"; did you mean "block"?'],
  [() => loose(sparse)(4, { Bias: true }), 'sparse(4): unknown option "Bias"; did you mean "bias"?'],
  [
    () => loose(sparse)(4, { init: 'he' }),
    'sparse(4): unknown option "init"; did you mean "initialization"?',
  ],
  [
    () => loose(dense)(4, { sparsity: 0.9 }),
    'dense(4): unknown option "sparsity"; allowed: activation, bias, initialization, dropConnect',
  ],
  [
    () => loose(dense)(4, { outputs: 9 }),
    'dense(4): unknown option "outputs"; allowed: activation, bias, initialization, dropConnect',
  ],
  [() => loose(sgd)({ learningrate: 1 }), 'sgd: unknown option "learningrate"; did you mean "learningRate"?'],
  [
    () => loose(sgd)({ beta1: 0.9 }),
    'sgd: unknown option "beta1"; allowed: learningRate, momentum, nesterov, weightDecay, l1',
  ],
  [() => loose(adam)({ beta: 0.9 }), 'adam: unknown option "beta"; did you mean "beta1"?'],
  [
    () => loose(rigl)({ skipupdates: true }),
    'rigl: unknown option "skipupdates"; did you mean "skipUpdate"?',
  ],
  [
    () => loose(set)({ zeta: 0.3 }),
    'set: unknown option "zeta"; allowed: every, fraction, until, fractionSchedule, trackExploration, prune, initialization',
  ],
  [() => fit({ epoch: 3 }), 'fit: unknown option "epoch"; did you mean "epochs"?'],
  [() => fit({ batchsize: 3 }), 'fit: unknown option "batchsize"; did you mean "batchSize"?'],
  [() => fit({ optimiser: sgd() }), 'fit: unknown option "optimiser"; did you mean "optimizer"?'],
  [
    () => fit({ learningrate: 0.1 }),
    'fit: unknown option "learningrate"; did you mean "learningRate"? It belongs in optimizer, for example sgd({ learningRate: 0.1 })',
  ],
  [() => fit({ seed: 1 }), 'fit: unknown option "seed"; it belongs in new Network({ seed })'],
  [() => fit({ device: 'cuda' }), 'fit: unknown option "device"; it belongs in new Network({ device })'],
  [
    () => fit({ optimizer: { type: 'sgd', learningrate: 1 } }),
    'fit: unknown option "optimizer.learningrate"; did you mean "optimizer.learningRate"?',
  ],
  [() => fit({ checkpoint: { file: 'x' } }), 'fit: option "checkpoint.path" is missing; allowed: a path'],
  [() => network({ inputs: 4, layers, los: 'x' }), 'new Network: unknown option "los"; did you mean "loss"?'],
  [
    () => network({ inputs: 4, layers: [{ ...dense(2), bais: true }] }),
    'new Network: unknown option "layers[0].bais"; did you mean "layers[0].bias"?',
  ],
  // Values out of range or of the wrong type.
  [
    () => loose(sparse)(1024, { activation: 'rellu' }),
    `sparse(1024): option "activation" is "rellu"; did you mean "relu"? allowed: ${activations}`,
  ],
  [() => loose(sparse)(4, { activation: 5 }), `sparse(4): option "activation" is 5; allowed: ${activations}`],
  [
    () => loose(sparse)(4, { activation: null }),
    `sparse(4): option "activation" is null; allowed: ${activations}`,
  ],
  [
    () => loose(sparse)(4, { activation: { type: 'leaky' } }),
    `sparse(4): option "activation.type" is "leaky"; did you mean "leakyRelu"? allowed: ${activations}`,
  ],
  [
    () => sparse(4, { activation: { type: 'leakyRelu', alpha: 2 } }),
    'sparse(4): option "activation.alpha" is 2; allowed: 0 <= alpha <= 1',
  ],
  [
    () => sparse(4, { activation: { type: 'relu', alpha: 0.5 } }),
    'sparse(4): option "activation.alpha" is 0.5; allowed: no alpha for relu; only leakyRelu and allRelu have one',
  ],
  [() => loose(sparse)(4, 'relu'), 'sparse(4): options are "relu"; allowed: an object'],
  [() => sparse(0), `sparse(0): option "outputs" is 0; allowed: ${width}`],
  [() => sparse(2.5), `sparse(2.5): option "outputs" is 2.5; allowed: ${width}`],
  [() => sparse(1e9), `sparse(1000000000): option "outputs" is 1000000000; allowed: ${width}`],
  [() => loose(sparse)(), `sparse(undefined): option "outputs" is missing; allowed: ${width}`],
  [() => loose(dense)('10'), `dense("10"): option "outputs" is "10"; allowed: ${width}`],
  [() => loose(sparse)(4, { block: '4 x 1' }), `sparse(4): option "block" is "4 x 1"; allowed: ${blocks}`],
  [() => loose(sparse)(4, { block: '0x1' }), `sparse(4): option "block" is "0x1"; allowed: ${blocks}`],
  [() => sparse(4, { block: [4, 65] }), `sparse(4): option "block[1]" is 65; allowed: ${blocks}`],
  [() => loose(sparse)(4, { block: [4] }), `sparse(4): option "block" is [4]; allowed: ${blocks}`],
  [() => sparse(4, { sparsity: 1 }), 'sparse(4): option "sparsity" is 1; allowed: 0 <= sparsity < 1'],
  [() => loose(sparse)(4, { bias: 'yes' }), 'sparse(4): option "bias" is "yes"; allowed: true, false'],
  [
    () => sparse(4, { initialization: { type: 'he', deviation: 1 } }),
    'sparse(4): option "initialization.deviation" is 1; allowed: no deviation for he; only normal has one',
  ],
  [() => dropout(1), 'dropout(1): option "rate" is 1; allowed: 0 <= rate < 1'],
  [() => dropout(-0.1), 'dropout(-0.1): option "rate" is -0.1; allowed: 0 <= rate < 1'],
  [() => loose(dropout)(), 'dropout(undefined): option "rate" is missing; allowed: 0 <= rate < 1'],
  [() => layerNorm({ epsilon: 0 }), 'layerNorm: option "epsilon" is 0; allowed: 0 < epsilon <= 1'],
  [() => epsilon(0), 'epsilon: option "epsilon" is 0; allowed: 0 < epsilon <= 1000000'],
  [() => set({ every: 0 }), 'set: option "every" is 0; allowed: a whole number, every >= 1'],
  [
    () => loose(set)({ every: 'epochs' }),
    'set: option "every" is "epochs"; did you mean "epoch"? allowed: epoch, or a whole number of steps >= 1',
  ],
  [() => loose(set)({ prune: 'sign' }), 'set: option "prune" is "sign"; allowed: set, magnitude'],
  [() => set({ fraction: 1.01 }), 'set: option "fraction" is 1.01; allowed: 0 < fraction <= 1'],
  [() => rigl({ fraction: 0 }), 'rigl: option "fraction" is 0; allowed: 0 < fraction <= 1'],
  [() => rigl({ until: 75 }), 'rigl: option "until" is 75; allowed: 0 <= until <= 1'],
  [
    () => loose(rigl)({ fractionSchedule: 'cos' }),
    'rigl: option "fractionSchedule" is "cos"; did you mean "cosine"? allowed: constant, cosine, exponential, learningRate',
  ],
  [() => sgd({ learningRate: Number.NaN }), 'sgd: option "learningRate" is NaN; allowed: learningRate > 0'],
  [
    () => sgd({ learningRate: Infinity }),
    'sgd: option "learningRate" is Infinity; allowed: learningRate > 0',
  ],
  [() => sgd({ momentum: 1 }), 'sgd: option "momentum" is 1; allowed: 0 <= momentum < 1'],
  [
    () => sgd({ nesterov: true, momentum: 0 }),
    'sgd: option "nesterov" is true; it needs momentum > 0, and momentum is 0',
  ],
  [() => adam({ beta2: 1 }), 'adam: option "beta2" is 1; allowed: 0 <= beta2 < 1'],
  [() => adamw({ weightDecay: -1 }), 'adamw: option "weightDecay" is -1; allowed: weightDecay >= 0'],
  [
    () => profile({ family: 'linear', cv: [] }),
    'profile: option "cv" is []; allowed: a number cv >= 0, or one for each sparse layer',
  ],
  [() => profile({ family: 'linear', cv: [1, -1] }), 'profile: option "cv[1]" is -1; allowed: cv[1] >= 0'],
  [() => sgd({ l1: -1 }), 'sgd: option "l1" is -1; allowed: l1 >= 0'],
  [() => adamw({ l1: Number.NaN }), 'adamw: option "l1" is NaN; allowed: l1 >= 0'],
  [
    () => fit({ l1: 1e-4 }),
    'fit: unknown option "l1"; it belongs in optimizer, for example sgd({ l1: 1e-5 })',
  ],
  [() => dense(4, { dropConnect: 1 }), 'dense(4): option "dropConnect" is 1; allowed: 0 <= dropConnect < 1'],
  [
    () => sparse(4, { dropConnect: -0.1 }),
    'sparse(4): option "dropConnect" is -0.1; allowed: 0 <= dropConnect < 1',
  ],
  [() => loose(sparse)(4, { masked: 'yes' }), 'sparse(4): option "masked" is "yes"; allowed: true, false'],
  [
    () => loose(dense)(4, { masked: true }),
    'dense(4): unknown option "masked"; allowed: activation, bias, initialization, dropConnect',
  ],
  [() => loose(stepDecay)({ every: 2 }), 'stepDecay: option "factor" is missing; allowed: 0 < factor <= 1'],
  [() => loose(stepDecay)(), 'stepDecay: options are missing; allowed: an object'],
  [() => cosine({ minimum: 1.5 }), 'cosine: option "minimum" is 1.5; allowed: 0 <= minimum <= 1'],
  [() => oneCycle({ rise: 1 }), 'oneCycle: option "rise" is 1; allowed: 0 < rise < 1'],
  [() => constant({ warmup: -1 }), 'constant: option "warmup" is -1; allowed: a whole number, warmup >= 0'],
  [() => fit({ epochs: 0 }), 'fit: option "epochs" is 0; allowed: a whole number, 1 <= epochs <= 1000000'],
  [
    () => fit({ batchSize: 1.5 }),
    'fit: option "batchSize" is 1.5; allowed: a whole number, 1 <= batchSize <= 16777216',
  ],
  [
    () => fit({ threads: 1000 }),
    'fit: option "threads" is 1000; allowed: a whole number, 1 <= threads <= 256',
  ],
  [() => fit({ signal: {} }), 'fit: option "signal" is an object; allowed: an AbortSignal'],
  [
    () => fit({ optimizer: 'adam' }),
    'fit: option "optimizer" is "adam"; allowed: sgd(...), adam(...), adamw(...)',
  ],
  [
    () => fit({ rewire: set }),
    'fit: option "rewire" is the function set; call it: set(...); allowed: staticTopology(), set(...), rigl(...)',
  ],
  [() => fit(null), 'fit: options are null; allowed: an object'],
  [
    () => network({ inputs: 4, layers, sparsity: 1.5 }),
    'new Network: option "sparsity" is 1.5; allowed: 0 <= sparsity < 1',
  ],
  [
    () => network({ layers }),
    'new Network: option "inputs" is missing; allowed: a whole number, 1 <= inputs <= 16777216',
  ],
  [
    () => network({ inputs: 4, layers, seed: 2 ** 53 }),
    'new Network: option "seed" is 9007199254740992; allowed: a whole number, seed >= 0',
  ],
  [() => network({ inputs: 4, layers: [10] }), `new Network: option "layers[0]" is 10; allowed: ${kinds}`],
  [
    () => network({ inputs: 4, layers: [dense] }),
    `new Network: option "layers[0]" is the function dense; call it: dense(...); allowed: ${kinds}`,
  ],
  [
    () => network({ inputs: 4, layers: [] }),
    'new Network: option "layers" is []; allowed: a list of one or more layers',
  ],
  [
    () => network({ inputs: 4, layers, topology: erdosRenyi }),
    'new Network: option "topology" is the function erdosRenyi; call it: erdosRenyi(...); allowed: uniform(), erdosRenyi(), epsilon(20), profile(...), fanIn(...), constantFanIn(), spatiallyCoupled(...), savedTopology(...)',
  ],
  [
    () => network({ inputs: 4, layers, topology: profile({ family: 'linaer' as never, cv: 1 }) }),
    'profile: option "family" is "linaer"; did you mean "linear"? allowed: linear, power, exponential, logarithmic, logistic, gaussian, sinusoidal, quadratic, lognormal, powerLaw',
  ],
  [() => profile({ family: 'linear', cv: -1 }), 'profile: option "cv" is -1; allowed: cv >= 0'],
  [
    () => loose(profile)({ family: 'linear', cv: 'much' }),
    'profile: option "cv" is "much"; allowed: a number cv >= 0, or one for each sparse layer',
  ],
  [() => network(undefined), 'new Network: options are missing; allowed: an object'],
  // Options that are impossible together.
  [
    () => network({ inputs: 4, layers, device: 'gpu' }),
    'new Network: option "device" is "gpu"; did you mean "cpu"? allowed: auto, cpu, cuda',
  ],
  [
    () => network({ inputs: 4, layers, precision: 'float16' }),
    'new Network: option "precision" is "float16"; did you mean "bfloat16"? allowed: float32, tf32, bfloat16',
  ],
  [
    () => network({ inputs: 4, layers, denseFallback: 'yes' }),
    'new Network: option "denseFallback" is "yes"; allowed: true, false',
  ],
  [() => load({ device: 'cdua' }), /^Network\.load: option "device" is "cdua".*allowed: auto, cpu, cuda$/],
  [
    () => load({ threads: 2 }),
    /^Network\.load: unknown option "threads"; allowed: device, precision, denseFallback$/,
  ],
  [
    () => describeNetwork('file', { inputs: 4, layers: [dense(2)], device: 'cuda' } as never),
    /^file: unknown option "device"/,
  ],
  [
    () => network({ inputs: 4, layers: [dense(3)], sparsity: 0.5 }),
    'new Network: option "sparsity" is 0.5; no layer is sparse; allowed: absent, or a layer made by sparse(...)',
  ],
  [
    () => network({ inputs: 4, layers: [dense(3)], topology: uniform() }),
    'new Network: option "topology" is "uniform"; no layer is sparse; allowed: absent, or a layer made by sparse(...)',
  ],
  [
    () => network({ inputs: 4, layers, sparsity: 0.5, topology: epsilon(3) }),
    'new Network: option "sparsity" is 0.5; topology epsilon decides it; allowed: absent',
  ],
  [
    () => network({ inputs: 4, layers: [dense(3), dropout(0.5)] }),
    'new Network: option "layers[1].type" is "dropout"; the last layer gives the outputs; allowed: sparse, dense',
  ],
  [
    () => network({ inputs: 4, layers: [dense(1)] }),
    'new Network: option "layers[0].outputs" is 1; softmaxCrossEntropy needs an output for each class; allowed: outputs >= 2, or loss binaryCrossEntropy',
  ],
  [
    () => network({ inputs: 4, layers: [dense(2, { activation: 'sigmoid' })], loss: 'binaryCrossEntropy' }),
    'new Network: option "layers[0].activation" is "sigmoid"; loss binaryCrossEntropy brings its own; allowed for the last layer: linear',
  ],
  [
    () => fit({ optimizer: { ...sgd(), momentum: 0, nesterov: true } }),
    'fit: option "optimizer.nesterov" is true; it needs momentum > 0, and momentum is 0',
  ],
  [() => granet({ until: 0 }), 'granet: option "from" is 0; allowed: less than until, which is 0'],
  [
    () => pruneNeurons({ from: 0.6 }),
    'pruneNeurons: option "from" is 0.6; allowed: up to until, which is 0.5',
  ],
  [
    () => fit({ rewire: set() }, null, false),
    'fit: option "rewire" is "set"; the network has no sparse layer; allowed: staticTopology()',
  ],
  [
    () => fit({ resume: true, optimizer: adam() }, fit({}).settings),
    /^fit: option "optimizer" is \{"type":"adam".*; a resumed run needs the one that it began with; allowed: absent, \{"type":"sgd"/,
  ],
]

t.test('a wrong option is named, with what was given and what is allowed', (t) => {
  for (const [what, message] of wrong) {
    t.throws(what, { code: 'ERR_ESPALIER_OPTION', message }, String(message))
  }
  t.end()
})

t.test('builders give frozen descriptions with the documented defaults', (t) => {
  const he = { type: 'he', deviation: 0 }
  t.strictSame(sparse(8), {
    type: 'sparse',
    outputs: 8,
    activation: { type: 'relu', alpha: 0 },
    bias: true,
    block: [1, 1],
    sparsity: null,
    initialization: he,
    dropConnect: 0,
    masked: false,
  })
  t.strictSame(dense(8).activation, { type: 'linear', alpha: 0 })
  t.strictSame(sparse(8, { block: '16x4' }).block, [16, 4])
  t.strictSame(sparse(8, { activation: 'leakyRelu' }).activation, { type: 'leakyRelu', alpha: 0.01 })
  t.strictSame(sparse(8, { activation: { type: 'allRelu' } }).activation, { type: 'allRelu', alpha: 0.6 })
  t.strictSame(layerNorm(), { type: 'layerNorm', epsilon: 1e-5 })
  t.strictSame(set(), {
    type: 'set',
    every: 'epoch',
    fraction: 0.3,
    prune: 'set',
    until: 1,
    fractionSchedule: 'constant',
    initialization: { type: 'zeros', deviation: 0 },
    minimumFraction: 0,
    trackExploration: false,
    neurons: null,
  })
  t.strictSame(rigl(), {
    type: 'rigl',
    every: 100,
    fraction: 0.3,
    until: 0.75,
    fractionSchedule: 'cosine',
    skipUpdate: true,
    minimumFraction: 0,
    trackExploration: false,
    neurons: null,
  })
  t.strictSame(sgd(), {
    type: 'sgd',
    learningRate: 0.1,
    momentum: 0.9,
    nesterov: false,
    weightDecay: 0,
    l1: 0,
  })
  t.equal(dense(8).dropConnect, 0)
  t.equal(adam().l1, 0)
  t.equal(adamw().l1, 0)
  t.equal(adam().weightDecay, 0)
  t.equal(adamw().weightDecay, 0.01)
  t.strictSame(oneCycle(), { type: 'oneCycle', rise: 0.3, start: 0.04, end: 1e-4, warmup: 0 })
  t.strictSame(epsilon(), { type: 'epsilon', epsilon: 20 })
  const layer = sparse(8)
  t.throws(() => Object.assign(layer, { outputs: 9 }), TypeError)
  t.throws(() => Object.assign(layer.activation, { type: 'tanh' }), TypeError)
  t.end()
})

t.test('a description survives JSON, which is how a checkpoint holds it', (t) => {
  const everything = network({
    inputs: 4,
    layers: [
      sparse(9, { block: '4x4', activation: 'srelu', sparsity: 0.5 }),
      layerNorm(),
      dropout(0.2),
      ...layers,
    ],
    topology: uniform(),
    seed: 7,
  })
  t.strictSame(network(JSON.parse(JSON.stringify(everything))), everything)
  const allDense = network({ inputs: 4, layers: [dense(2)] })
  t.strictSame(network(JSON.parse(JSON.stringify(allDense))), allDense)
  const byProfile = network({ inputs: 4, layers, topology: profile({ family: 'power', cv: [0.3] }) })
  t.strictSame(network(JSON.parse(JSON.stringify(byProfile))), byProfile)
  const byEpsilon = network({ inputs: 4, layers, topology: epsilon(3) })
  t.strictSame(network(JSON.parse(JSON.stringify(byEpsilon))), byEpsilon)
  t.end()
})

t.test('a resumed run goes on with the settings of the last one, except those given anew', (t) => {
  const last = fit({ epochs: 3, batchSize: 7, optimizer: adam(), rewire: rigl(), shuffle: false }).settings
  t.strictSame(fit({ resume: true }, last).settings, last)
  t.strictSame(fit({ resume: true, epochs: 5 }, last).settings, { ...last, epochs: 5 })
  t.strictSame(fit({}, last).settings.rewire, staticTopology(), 'a fresh run has the defaults')
  t.equal(
    fit({ resume: true }, null).resume,
    false,
    'a network that was never trained starts at the beginning',
  )
  t.end()
})

import { fanDistance } from '../../analysis/distance.js'
import type { Comparison } from '../../experiment/compare.js'
import type { FanInShapes } from '../../experiment/measures/fan-in-shape.js'
import type { Study } from '../../experiment/study.js'
import { rigl } from '../../rewire/rigl.js'
import { erdosRenyi } from '../../topology/erdos-renyi.js'
import { profile } from '../../topology/profile.js'
import { uniform } from '../../topology/uniform.js'
import type { Claim, StudyDefinition } from '../definition.js'
import { difference, type Estimate, estimate, gains, isBelow, runsOf } from '../estimate.js'
import { plain, points } from '../text.js'
import { judgeEach, judgeTogether } from '../verdict.js'
import { data, fit, notes, type PsnData, paper, standIns } from './psn.js'

const at = 0.9
/** What the start at equilibrium is said to gain over ERK, in points. */
const gain: Readonly<Partial<Record<PsnData, number>>> = {
  'Fashion-MNIST': 0.16,
  'EMNIST Letters': 0.43,
  'Forest Cover': 0.49,
}
const datasets = Object.keys(gain) as PsnData[]
const start = 'lognormal at equilibrium'

const study = (every: number, equilibriumEpochs: number): Omit<Study, 'name' | 'datasets'> => ({
  sparsities: [at],
  seeds: 5,
  fit: { rewire: rigl({ every }) },
  methods: [
    { name: 'ERK', network: { topology: erdosRenyi() } },
    { name: 'uniform', network: { topology: uniform() } },
    {
      name: start,
      network: { topology: erdosRenyi() },
      prepare: [{ type: 'equilibrium', epochs: equilibriumEpochs }],
    },
    { name: 'lognormal, CV 1', network: { topology: profile({ family: 'lognormal', cv: 1 }) } },
  ],
  measures: [{ type: 'fanInShape' }],
})

const quickStudy = study(30, 6)
const quick: Study = {
  ...quickStudy,
  name: 'psn-rigl-quick',
  datasets: data(datasets, { train: 20000, test: 10000 }),
  network: { hidden: [256, 256] },
  fit: { ...fit(12), ...quickStudy.fit },
}

const fullStudy = study(100, 10)
const full: Study = {
  ...fullStudy,
  name: 'psn-rigl',
  datasets: data(datasets),
  network: { hidden: [512, 512, 256] },
  fit: { ...fit(40), ...fullStudy.fit },
}

/** The claims of a gain, judged side by side. */
const gainOn = (dataset: PsnData, index: number): Claim => ({
  text:
    `On ${dataset} RigL started from a lognormal profile at equilibrium beats RigL started from ERK, by ${gain[dataset]} points` +
    `${dataset === 'Fashion-MNIST' ? ' (5 seeds, p = 0.036, d = 1.07)' : ''}.`,
  source: paper,
  rule:
    'Paired by seed, Holm over the data sets: supported where the gain is shown to be above 0 (one-sided t-test, p < 0.025); not supported ' +
    'where it is not, and is shown to be less than what is claimed.',
  judge(comparison) {
    const gains = datasets.map((dataset) => gainOf(comparison, dataset))
    return {
      verdict: judgeEach(gains.map(({ evidence }) => evidence))[index]!,
      measured: gains[index]!.measured,
    }
  },
})

function gainOf(comparison: Comparison, dataset: PsnData) {
  const less = (baseline: string): Estimate | null =>
    difference(comparison, { method: start, baseline, dataset, sparsity: at })
  const overErk = less('ERK')
  return {
    evidence: gains(overErk, gain[dataset]!),
    measured: [`over ERK ${points(overErk)}`, `over uniform ${points(less('uniform'))}`],
  }
}

/** "The same" is taken as this far apart at most: a neuron differs by a tenth of the mean fan-in, on average. */
const same = 0.1

const settles: Claim = {
  text: "RigL's fan-in distribution ends the same wherever it starts.",
  source: paper,
  rule:
    'Distance of the fan-in distributions (Wasserstein-1 of fan-in over its mean) between each pair of starts, mean over pairs and sparse ' +
    'layers, a number for each seed, on each data set: supported where it is shown to be below 0.1 after training on all; not supported ' +
    'where it is shown to be above on one. The measure and the bound are ours.',
  judge(comparison) {
    const found = comparison.plan.datasets.map(({ as: dataset }) => ({
      dataset,
      before: apart(comparison, dataset, 'before'),
      after: apart(comparison, dataset, 'after'),
    }))
    return {
      verdict: judgeTogether(found.map(({ after }) => isBelow(after, same))),
      measured: found.map(
        ({ dataset, before, after }) =>
          `${dataset}: ${plain(before)} before training, ${plain(after)} after it`,
      ),
    }
  },
}

/** Mean distance between the fan-in distributions of the starts, a number for each seed that all of them finished. */
function apart(comparison: Comparison, dataset: string, when: 'before' | 'after'): Estimate | null {
  const starts = comparison.plan.methods.map(
    ({ name: method }) =>
      new Map(
        runsOf(comparison, { method, dataset, sparsity: at }).map(({ job, measures }) => [
          job.seed,
          (measures.fanInShape as unknown as FanInShapes)[when],
        ]),
      ),
  )
  const distances = comparison.plan.seeds.flatMap((seed) => {
    const shapes = starts.map((start) => start.get(seed))
    if (shapes.some((shape) => shape === undefined)) return []
    const all = shapes.flatMap((a, i) =>
      shapes
        .slice(i + 1)
        .flatMap((b) => a!.map(({ quantiles }, layer) => fanDistance(quantiles, b![layer]!.quantiles))),
    )
    return [all.reduce((sum, one) => sum + one, 0) / all.length]
  })
  return estimate(distances)
}

/** RigL from its own equilibrium, from ERK, and from elsewhere. */
export const psnRigl: StudyDefinition = {
  name: 'psn-rigl',
  title: 'RigL started from the fan-in distribution that it settles at, against ERK and uniform',
  notes: [
    ...notes,
    "How the paper finds the equilibrium is not known: here RigL is trained a while from ERK, each layer's CV of fan-in is taken, and " +
      'a new network starts from lognormal profiles of these CVs. That first training is not counted as training of the method.',
  ],
  quick,
  full,
  standIns,
  claims: [...datasets.map(gainOn), settles],
}

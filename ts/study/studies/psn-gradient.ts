import { correlation } from '../../analysis/correlation.js'
import type { Comparison } from '../../experiment/compare.js'
import type { ConcentrationLook } from '../../experiment/measures/gradient-concentration.js'
import type { Method, Study } from '../../experiment/study.js'
import { type ProfileFamily, profile } from '../../topology/profile.js'
import { uniform } from '../../topology/uniform.js'
import type { Claim, Judgement, StudyDefinition } from '../definition.js'
import { type Estimate, estimate, isAbove, isBetween, runsOf } from '../estimate.js'
import { plain } from '../text.js'
import { type Evidence, judgeTogether } from '../verdict.js'
import { all, data, fit, notes, paper, standIns } from './psn.js'

const at = 0.9

const profiled = (family: ProfileFamily, cv: number): Method => ({
  name: `${family}, CV ${cv}`,
  network: { topology: profile({ family, cv, density: 'uniform' }) },
})

const methods: readonly Method[] = [
  { name: 'uniform', network: { topology: uniform() } },
  profiled('linear', 0.5),
  profiled('sinusoidal', 0.5),
  profiled('quadratic', 0.75),
  profiled('exponential', 1),
  profiled('lognormal', 0.5),
  profiled('lognormal', 1),
  profiled('lognormal', 1.5),
  profiled('powerLaw', 1),
]

const quick: Study = {
  name: 'psn-gradient-quick',
  datasets: data(['Fashion-MNIST', 'MNIST', 'Forest Cover'], { train: 8000, test: 2000 }),
  sparsities: [at],
  seeds: 5,
  network: { hidden: [256, 256] },
  fit: fit(4),
  methods,
  measures: [{ type: 'gradientConcentration', samples: 2048 }],
}

const full: Study = {
  ...quick,
  name: 'psn-gradient',
  datasets: data(all),
  network: { hidden: [512, 512, 256] },
  fit: fit(20),
  methods: [...methods, profiled('lognormal', 2), profiled('powerLaw', 1.5)],
  measures: [{ type: 'gradientConcentration', samples: 8192 }],
}

/** The two readings of "gradients concentrate on hub neurons". */
const readings = {
  concentration:
    'mean |gradient| of a connection into the tenth of the neurons with most fan-in, over that of all connections',
  perNeuron: 'summed |gradient| of a neuron of that tenth, over that of a neuron of the layer',
} as const
type Reading = keyof typeof readings

interface Point {
  readonly method: string
  readonly seed: number
  readonly cv: number
  readonly value: number
}

/** Every sparse layer of every run after training: CV of its fan-in, and how far its gradients concentrate. */
function pointsOf(comparison: Comparison, dataset: string, reading: Reading): Point[] {
  return comparison.plan.methods.flatMap(({ name: method }) =>
    runsOf(comparison, { method, dataset, sparsity: at }).flatMap(({ job, measures }) => {
      const looks = measures.gradientConcentration as unknown as readonly ConcentrationLook[] | undefined
      return (looks?.find(({ when }) => when === 'end')?.layers ?? []).flatMap((layer) => {
        const value = layer[reading]
        return value === null ? [] : [{ method, seed: job.seed, cv: layer.cv, value }]
      })
    }),
  )
}

/** For each seed a number of all its points; what several layers and profiles of one seed say is not independent. */
function bySeed(
  points: readonly Point[],
  number: (points: readonly Point[]) => number | null,
): Estimate | null {
  const seeds = [...new Set(points.map(({ seed }) => seed))]
  return estimate(seeds.flatMap((seed) => number(points.filter((point) => point.seed === seed)) ?? []))
}

const mean = (points: readonly Point[]): number | null =>
  points.length === 0 ? null : points.reduce((sum, { value }) => sum + value, 0) / points.length

/** Judges one number of each data set. */
function onEach(
  comparison: Comparison,
  reading: Reading,
  number: (points: readonly Point[]) => Estimate | null,
  statement: (of: Estimate | null) => Evidence,
  extra: (points: readonly Point[]) => string = () => '',
): Judgement {
  const found = comparison.plan.datasets.map(({ as: dataset }) => {
    const points = pointsOf(comparison, dataset, reading)
    return { dataset, of: number(points), extra: extra(points) }
  })
  return {
    verdict: judgeTogether(found.map(({ of }) => statement(of))),
    measured: found.map(({ dataset, of, extra }) => `${dataset}: ${plain(of)}${extra}`),
  }
}

const isUniform = ({ method }: Point): boolean => method === 'uniform'

/** The profiles with the least and the most of it. */
function extremes(points: readonly Point[]): string {
  const methods = [...new Set(points.filter((point) => !isUniform(point)).map(({ method }) => method))]
  const means = methods.map((method) => ({
    method,
    value: mean(points.filter((point) => point.method === method))!,
  }))
  means.sort((a, b) => a.value - b.value)
  const [least, most] = [means[0], means.at(-1)]
  if (least === undefined || most === undefined) return ''
  return `; from ${least.value.toFixed(2)} (${least.method}) to ${most.value.toFixed(2)} (${most.method})`
}

const structured = (reading: Reading): Claim => ({
  text: `Structured profiles concentrate gradients on hub neurons 2x to 5x, read as ${readings[reading]}.`,
  source: paper,
  rule:
    'The mean over profiles (all have CV >= 0.5) and layers after training, a number for each seed, on each data set: supported where ' +
    'it is shown to lie between 2 and 5 on all (t-tests over the seeds, p < 0.025 each side); not supported where it is shown to lie ' +
    'outside on one (p < 0.025 after Holm).',
  judge: (comparison) =>
    onEach(
      comparison,
      reading,
      (points) =>
        bySeed(
          points.filter((point) => !isUniform(point)),
          mean,
        ),
      (of) => isBetween(of, 2, 5),
      extremes,
    ),
})

const flat = (reading: Reading): Claim => ({
  text: `Under uniform random connections it is about 1x, read as ${readings[reading]}.`,
  source: paper,
  rule:
    'The same mean for uniform; "about 1" is taken as 0.8 to 1.25: supported where it is shown to lie between these on all data sets, ' +
    'not supported where it is shown to lie outside on one.',
  judge: (comparison) =>
    onEach(
      comparison,
      reading,
      (points) => bySeed(points.filter(isUniform), mean),
      (of) => isBetween(of, 0.8, 1.25),
    ),
})

const predicted = (reading: Reading): Claim => ({
  text: `The CV of fan-in predicts the concentration, r = 0.93, read as ${readings[reading]}.`,
  source: paper,
  rule:
    "Pearson's r over methods and layers, a number for each seed, on each data set: supported where its mean is shown to be above 0.8 " +
    'on all; not supported where it is shown to be below on one. The bound is ours.',
  judge: (comparison) =>
    onEach(
      comparison,
      reading,
      (points) =>
        bySeed(points, (ofSeed) =>
          ofSeed.length < 2
            ? null
            : correlation(
                ofSeed.map(({ cv }) => cv),
                ofSeed.map(({ value }) => value),
              ),
        ),
      (of) => isAbove(of, 0.8),
    ),
})

/** Whether gradients gather at hub neurons. */
export const psnGradient: StudyDefinition = {
  name: 'psn-gradient',
  title: 'whether gradients concentrate on the neurons with most connections',
  notes: [
    ...notes,
    "The paper's formula for the concentration was not at hand, so two readings are judged: by connection, and by neuron, where a " +
      'neuron with twice the connections has twice the gradients to add. Gradients are those of the trained network on training samples.',
  ],
  quick,
  full,
  standIns,
  claims: (['concentration', 'perNeuron'] as const).flatMap((reading) => [
    structured(reading),
    flat(reading),
    predicted(reading),
  ]),
}

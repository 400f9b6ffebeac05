import type { Comparison } from '../../experiment/compare.js'
import type { Method, Study, StudyDataset, StudyFit } from '../../experiment/study.js'
import type { BlockOption } from '../../model/block.js'
import { rigl } from '../../rewire/rigl.js'
import type { RewireRule } from '../../rewire/rule.js'
import { set } from '../../rewire/set.js'
import { staticTopology } from '../../rewire/static.js'
import type { Claim, Judgement, StudyDefinition } from '../definition.js'
import { difference, type Estimate, estimate, isAbove, runsOf } from '../estimate.js'
import { plain, points } from '../text.js'
import { type Evidence, judgeTogether } from '../verdict.js'
import { fit } from './psn.js'

const source = 'ours, after a first look with two seeds'
const shapes = ['4x1', '4x4', '8x8', '16x16'] as const satisfies readonly BlockOption[]
const rules = ['static', 'SET', 'RigL'] as const
type RuleName = (typeof rules)[number]
const at = 0.9

const nameOf = (rule: RuleName, shape: string): string => `${rule}, ${shape}`

const methods = (every: number): Method[] => {
  const rewire: Record<RuleName, RewireRule> = { static: staticTopology(), SET: set(), RigL: rigl({ every }) }
  return rules.flatMap((rule) =>
    (['1x1', ...shapes] as const).map((block) => ({
      name: nameOf(rule, block),
      network: { layer: { block } },
      fit: { rewire: rewire[rule] },
    })),
  )
}

const datasets = (image: Partial<StudyDataset>, table: Partial<StudyDataset>): StudyDataset[] => [
  { name: 'fashion-mnist', as: 'Fashion-MNIST', ...image },
  { name: 'fashion-mnist', as: 'Fashion-MNIST, pixels shuffled', permutation: 1, ...image },
  { name: 'covtype', as: 'Forest Cover', ...table },
]

const study = (
  epochs: number,
  every: number,
): { fit: StudyFit; methods: Method[]; baseline: string; seeds: number } => ({
  fit: fit(epochs),
  methods: methods(every),
  baseline: nameOf('static', '1x1'),
  seeds: 5,
})

const quick: Study = {
  ...study(5, 20),
  name: 'blocks-quick',
  datasets: datasets({ train: 10000, test: 8000 }, { train: 10000, test: 8000 }),
  sparsities: [at],
  network: { hidden: [512, 512] },
}

const full: Study = {
  ...study(20, 100),
  name: 'blocks',
  datasets: datasets({}, {}),
  sparsities: [at, 0.98],
  network: { hidden: [1024, 1024] },
}

/** What is still "free". */
const margin = 0.5

/** A claim for each block shape: over all rules and data sets at 90 %. */
const costs = (shape: string): Claim => ({
  text: `At 90 % sparsity blocks of ${shape.replace('x', ' x ')} cost no accuracy against 1 x 1, by static, SET or RigL.`,
  source,
  rule:
    `Paired by seed; "no accuracy" is taken as less than ${margin} points: over the three rules and all data sets together supported where that ` +
    'is shown for each (one-sided t-test, p < 0.025); not supported where one is shown to lose more (p < 0.025 after Holm).',
  judge: (comparison) =>
    onEach(comparison, (rule, dataset) => {
      const pair = { method: nameOf(rule, shape), baseline: nameOf(rule, '1x1'), dataset, sparsity: at }
      const of = difference(comparison, pair)
      return { text: points(of), evidence: isAbove(of, -margin) }
    }),
})

const gainsTime = (shape: string): Claim => ({
  text: `At 90 % sparsity blocks of ${shape.replace('x', ' x ')} train faster than 1 x 1.`,
  source,
  rule:
    'Training seconds of 1 x 1 over those of the blocks, a ratio for each seed: over the three rules and all data sets supported where each is ' +
    'shown to be above 1, not supported where one is shown to be below. Other runs that share the machine are part of the spread.',
  judge: (comparison) =>
    onEach(comparison, (rule, dataset) => {
      const of = speedUp(comparison, rule, shape, dataset)
      return { text: `${plain(of)}x`, evidence: isAbove(of, 1) }
    }),
})

function onEach(
  { plan }: Comparison,
  look: (rule: RuleName, dataset: string) => { text: string; evidence: Evidence },
): Judgement {
  const found = plan.datasets.map(({ as: dataset }) => ({
    dataset,
    rules: rules.map((rule) => ({ rule, ...look(rule, dataset) })),
  }))
  return {
    verdict: judgeTogether(found.flatMap(({ rules }) => rules.map(({ evidence }) => evidence))),
    measured: found.map(
      ({ dataset, rules }) => `${dataset}: ${rules.map(({ rule, text }) => `${rule} ${text}`).join('; ')}`,
    ),
  }
}

function speedUp(comparison: Comparison, rule: RuleName, shape: string, dataset: string): Estimate | null {
  const seconds = (block: string): Map<number, number> =>
    new Map(
      runsOf(comparison, { method: nameOf(rule, block), dataset, sparsity: at }).map(({ job, result }) => [
        job.seed,
        result.seconds,
      ]),
    )
  const blocks = seconds(shape)
  return estimate(
    [...seconds('1x1')].flatMap(([seed, single]) => {
      const other = blocks.get(seed)
      return other === undefined ? [] : [single / other]
    }),
  )
}

/** What blocks of connections cost and bring. */
export const blocks: StudyDefinition = {
  name: 'blocks',
  title: 'what blocks of connections cost in accuracy and bring in time',
  notes: [
    'Shuffled: the pixels of every image in one fixed random order, so that neighbours mean nothing and blocks cannot profit from them.',
    'The profile paper found that static placement hardly matters; where that holds for blocks, their speed is free.',
  ],
  quick,
  full,
  standIns: [
    { name: 'digits', as: 'drawn digits (generated)', train: 4000, test: 2000 },
    {
      name: 'digits',
      as: 'drawn digits (generated), pixels shuffled',
      permutation: 1,
      train: 4000,
      test: 2000,
    },
  ],
  claims: [...shapes.map(costs), ...shapes.map(gainsTime)],
}

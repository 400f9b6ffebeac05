import type { Comparison } from '../../experiment/compare.js'
import type { Method, Study } from '../../experiment/study.js'
import { type ProfileFamily, profile, profileFamilies } from '../../topology/profile.js'
import { uniform } from '../../topology/uniform.js'
import type { Claim, StudyDefinition } from '../definition.js'
import { difference, type Estimate, isAbove, isBelow } from '../estimate.js'
import { points } from '../text.js'
import { type Evidence, judgeTogether } from '../verdict.js'
import { all, data, fit, notes, paper, standIns } from './psn.js'

const at = 0.9

const profiled = (family: ProfileFamily, cv: number): Method => ({
  name: `${family}, CV ${cv}`,
  network: { topology: profile({ family, cv, density: 'uniform' }) },
})

const methods: readonly Method[] = [
  { name: 'uniform', network: { topology: uniform() } },
  { name: 'dense', network: { layer: { type: 'dense' } } },
  // A CV that every family reaches.
  ...profileFamilies.map((family) => profiled(family, 0.5)),
]
/** Hubs that only some families have. */
const hubs = [profiled('lognormal', 1), profiled('lognormal', 1.5), profiled('powerLaw', 1)]

const quick: Study = {
  name: 'psn-static-quick',
  datasets: data(all, { train: 12000, test: 8000 }),
  sparsities: [at],
  seeds: 5,
  network: { hidden: [256, 256] },
  fit: fit(8),
  methods,
}

const full: Study = {
  ...quick,
  name: 'psn-static',
  datasets: data(all),
  sparsities: [0.8, at, 0.95, 0.99, 0.999],
  seeds: 5,
  network: { hidden: [512, 512, 256] },
  fit: fit(30),
  methods: [...methods, ...hubs],
}

/** Each profile against another method on each data set at 90 %, and the statement about it. */
function compareProfiles(
  comparison: Comparison,
  other: string,
  statement: (difference: Estimate | null) => Evidence,
): { evidence: Evidence[]; measured: string[] } {
  const { plan } = comparison
  const profiles = plan.methods.flatMap(({ name, network }) =>
    network.topology?.type === 'profile' ? [name] : [],
  )
  const evidence: Evidence[] = []
  const measured = plan.datasets.map(({ as: dataset }) => {
    const all = profiles.map((method) => ({
      method,
      estimate: difference(comparison, { method, baseline: other, dataset, sparsity: at }),
    }))
    evidence.push(...all.map(({ estimate }) => statement(estimate)))
    const known = all.flatMap(({ method, estimate }) => (estimate === null ? [] : [{ method, estimate }]))
    known.sort((a, b) => a.estimate.mean - b.estimate.mean)
    const [worst, best] = [known[0], known.at(-1)]
    if (worst === undefined || best === undefined) return `${dataset}: no run`
    const mean = known.reduce((sum, { estimate }) => sum + estimate.mean, 0) / known.length
    return (
      `${dataset}: profiles less ${other}: from ${worst.method} ${points(worst.estimate)} ` +
      `to ${best.method} ${points(best.estimate)}, mean of all ${mean.toFixed(2)}`
    )
  })
  return { evidence, measured }
}

const nearDense: Claim = {
  text: 'At 90 % sparsity every static fan-in profile, uniform random too, lies within 0.2 to 0.6 points of dense on every data set.',
  source: paper,
  rule:
    'Over all profiles, uniform and data sets together: supported where each is shown to lie less than 0.6 points below dense ' +
    '(one-sided t-test over the seeds, p < 0.025 each); not supported where one is shown to lie further below (p < 0.025 after Holm).',
  judge(comparison) {
    const profiles = compareProfiles(comparison, 'dense', (less) => isAbove(less, -0.6))
    const uniforms = comparison.plan.datasets.map(({ as: dataset }) => ({
      dataset,
      less: difference(comparison, { method: 'uniform', baseline: 'dense', dataset, sparsity: at }),
    }))
    return {
      verdict: judgeTogether([...profiles.evidence, ...uniforms.map(({ less }) => isAbove(less, -0.6))]),
      measured: [
        ...profiles.measured,
        ...uniforms.map(({ dataset, less }) => `${dataset}: uniform less dense ${points(less)}`),
      ],
    }
  },
}

const noneBeatsUniform: Claim = {
  text: 'At 90 % sparsity no static profile beats uniform random: arbitrary hubs bring nothing.',
  source: paper,
  rule:
    'Over all profiles and data sets together: not supported where one is shown to beat uniform (one-sided t-test over the seeds, ' +
    'p < 0.025 after Holm); supported where none is, and each is shown to gain less than 0.2 points, the least that the paper ' +
    'counts (p < 0.025 each).',
  judge(comparison) {
    const { evidence, measured } = compareProfiles(comparison, 'uniform', (more) => ({
      holds: isBelow(more, 0.2).holds,
      fails: isAbove(more, 0).holds,
    }))
    return { verdict: judgeTogether(evidence), measured }
  },
}

/** Static fan-in profiles against uniform random and dense. */
export const psnStatic: StudyDefinition = {
  name: 'psn-static',
  title: 'static fan-in profiles against uniform random and dense',
  notes: [
    ...notes,
    'Every layer has the same density, so that profiles differ from uniform in the shape of fan-in alone; the formulas of the ' +
      'families are ours.',
  ],
  quick,
  full,
  standIns,
  claims: [nearDense, noneBeatsUniform],
}

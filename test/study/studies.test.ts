/** The claims of each study on made-up runs: each of the three verdicts. */
import t from 'tap'
import { type Study, studies, type Verdict } from '../../lib/index.js'
import { type Made, madeUp, noise, type Outcome } from './made-up.js'

const by = (name: string) => studies.find((study) => study.name === name)!

/** Judges every claim of a study on made-up runs of its quick form. */
function verdicts(
  name: string,
  outcome: (run: Made) => Outcome | null,
  change: Partial<Study> = {},
): Verdict[] {
  const { quick, claims } = by(name)
  const comparison = madeUp({ ...quick, ...change }, outcome)
  return claims.map(({ judge }) => judge(comparison).verdict)
}

const layer = { layer: 0, cv: 1, concentration: 3, perNeuron: 3, quantiles: [1, 2, 3] }
const allMeasures = {
  gradientConcentration: [{ when: 'end', layers: [layer] }],
  fanInShape: { before: [layer], after: [layer] },
  removedNeurons: { layers: [{ layer: 0, neurons: 10, removed: 5, dead: 5 }] },
}

const yes = 'supported'
const no = 'not supported'
const open = 'undecided'

t.test('every claim is undecided where every run failed, and names what it is', (t) => {
  for (const { name, claims, quick, full, notes, standIns } of studies) {
    t.ok(
      verdicts(name, () => null).every((verdict) => verdict === open),
      name,
    )
    t.ok(claims.length > 0 && claims.every(({ text, source, rule }) => text && source && rule))
    t.ok(notes.length > 0 && standIns.length > 0)
    t.not(quick.name, full.name, 'two forms, two folders')
    t.doesNotThrow(() => madeUp(full, () => null), 'the full form is a valid study')
  }
  t.end()
})

t.test('every claim is undecided with one seed but for what is counted', (t) => {
  for (const { name } of studies) {
    if (name === 'spatially-coupled' || name === 'npset') continue
    t.ok(
      verdicts(name, () => ({ accuracy: 80, measures: allMeasures }), { seeds: 1 }).every(
        (verdict) => verdict === open,
      ),
      name,
    )
  }
  t.end()
})

t.test('psn-static', (t) => {
  const run =
    (profile: (run: Made) => number) =>
    (made: Made): Outcome => {
      const { method, index } = made
      if (method === 'dense') return { accuracy: 90 }
      return { accuracy: method === 'uniform' ? 89.7 : profile(made) + noise(index) }
    }
  t.same(
    verdicts(
      'psn-static',
      run(() => 89.7),
    ),
    [yes, yes],
  )
  const two = ({ method, dataset }: Made): number =>
    method.startsWith('linear') && dataset === 'MNIST' ? 88 : method.startsWith('lognormal') ? 91 : 89.7
  t.same(verdicts('psn-static', run(two)), [no, no])
  t.same(
    verdicts(
      'psn-static',
      run(({ index }) => 89.7 + noise(index, 2)),
    ),
    [open, open],
  )
  t.end()
})

const cvOf = (method: string): number => (method === 'uniform' ? 0 : Number(/CV ([\d.]+)/.exec(method)![1]))

t.test('psn-gradient', (t) => {
  const run =
    (value: (cv: number, index: number) => number) =>
    ({ method, index }: Made): Outcome => {
      const cv = cvOf(method)
      const number = value(cv, index)
      const layers = [{ layer: 0, cv, concentration: number, perNeuron: number }]
      return { accuracy: 80, measures: { gradientConcentration: [{ when: 'end', layers }] } }
    }
  const asClaimed = run((cv, index) => 1 + 2.2 * cv + noise(index, 0.02))
  t.same(verdicts('psn-gradient', asClaimed), [yes, yes, yes, yes, yes, yes])
  const flat = run((cv, index) => 1.5 - 0.1 * cv + noise(index, 0.02))
  t.same(verdicts('psn-gradient', flat), [no, no, no, no, no, no])
  const wild = run((cv, index) => 1 + cv * noise(index, 8) + noise(index, 2))
  t.same(verdicts('psn-gradient', wild), [open, open, open, open, open, open])
  t.end()
})

t.test('psn-gradient: the two readings are judged apart', (t) => {
  const outcome = ({ method, index }: Made): Outcome => {
    const cv = cvOf(method)
    const one = 1 + noise(index, 0.02)
    const layers = [{ layer: 0, cv, concentration: one, perNeuron: one + 2.2 * cv }]
    return { accuracy: 80, measures: { gradientConcentration: [{ when: 'end', layers }] } }
  }
  // Without any difference between the profiles there is no correlation: undecided.
  t.same(verdicts('psn-gradient', outcome), [no, yes, open, yes, yes, yes])
  t.end()
})

t.test('psn-rigl', (t) => {
  const gains: Record<string, number> = {
    'Fashion-MNIST': 0.16,
    'EMNIST Letters': 0.43,
    'Forest Cover': 0.49,
  }
  const run =
    (gain: (dataset: string, index: number) => number, apart: (index: number) => number) =>
    ({ method, dataset, index }: Made): Outcome => {
      const start = method === 'lognormal at equilibrium'
      const shape = (spread: number) => [
        { layer: 0, cv: 1, quantiles: [10 * (1 - spread), 10, 10 * (1 + spread)] },
      ]
      const after = shape(method === 'ERK' ? 0 : apart(index))
      return {
        accuracy: 85 + noise(index) + (start ? gain(dataset, index) : 0),
        measures: { fanInShape: { before: shape(0.5), after } },
      }
    }
  const asClaimed = run(
    (dataset, index) => gains[dataset]! + noise(index, 0.02),
    (index) => 0.02 + noise(index, 0.001),
  )
  t.same(verdicts('psn-rigl', asClaimed), [yes, yes, yes, yes])
  const nothing = run(
    (_, index) => noise(index, 0.05),
    (index) => 0.9 + noise(index, 0.001),
  )
  t.same(verdicts('psn-rigl', nothing), [no, no, no, no])
  const wild = run(
    (_, index) => 0.2 + noise(index, 2),
    (index) => 0.3 + noise(index, 0.3),
  )
  t.same(verdicts('psn-rigl', wild), [open, open, open, open])
  const one = run(
    (dataset, index) => (dataset === 'Forest Cover' ? 0.49 : 0) + noise(index, 0.05),
    () => 0,
  )
  t.same(verdicts('psn-rigl', one), [no, no, yes, yes], 'each data set has its own verdict')
  t.end()
})

t.test('npset', (t) => {
  const size = by('npset').quick.datasets.length
  const run =
    (pruned: (place: number) => number, removed: number, others = 78) =>
    ({ method, dataset }: Made): Outcome => {
      const place = by('npset').quick.datasets.findIndex(
        (one) => typeof one !== 'string' && one.name === dataset,
      )
      const accuracy = method === 'NPSET-MLP' ? pruned(place) : method === 'Dense-MLP' ? 80 : others
      return {
        accuracy,
        measures: { removedNeurons: { layers: [{ layer: 0, neurons: 256, removed, dead: removed }] } },
      }
    }
  t.ok(size >= 15, 'fifteen data sets or more')
  t.same(
    verdicts(
      'npset',
      run((place) => 80.5 + noise(place), 128),
    ),
    [yes, yes, yes, yes],
  )
  t.same(
    verdicts(
      'npset',
      run((place) => 75 + noise(place), 20),
    ),
    [no, no, no, no],
  )
  t.same(
    verdicts(
      'npset',
      run((place) => 79 + noise(place, 20), 128, 79),
    ),
    [yes, open, open, open],
  )
  t.end()
})

t.test('spatially-coupled', (t) => {
  const run =
    (accuracies: Record<string, number>, kept: number, size = 0.05) =>
    ({ method, index }: Made): Outcome => ({
      accuracy: (accuracies[method] ?? 89) + (method.startsWith('coupled') ? noise(index, size) : 0),
      parameters: method.startsWith('dense +') ? 100_000 : kept,
    })
  const good = { 'dense + dropout': 90, 'coupled by ANOVA F': 89.9, 'coupled by joint importance': 90.5 }
  // Joint less marginal has the noise of both, which is the same here: an interval of no width.
  t.same(verdicts('spatially-coupled', run(good, 6000)), [yes, yes, yes, yes])
  const bad = { 'dense + dropout': 90, 'coupled by ANOVA F': 85, 'coupled by joint importance': 84 }
  t.same(verdicts('spatially-coupled', run(bad, 9000)), [no, no, no, no])
  const wild = ({ method, index }: Made): Outcome => ({
    accuracy: 89 + (method === 'coupled by ANOVA F' ? noise(index, 5) : 0),
    parameters: method.startsWith('dense +') ? 100_000 : 6000,
  })
  t.same(verdicts('spatially-coupled', wild), [yes, open, open, open])
  t.end()
})

t.test('set-2000', (t) => {
  const run =
    (accuracies: Record<string, number>, size: number) =>
    ({ method, index }: Made): Outcome => ({
      accuracy:
        accuracies[method]! + (method === 'SET' ? 1 : method === 'static' ? -1 : 0.5) * noise(index, size),
    })
  const published = { SET: 82.6, static: 80.6, dense: 82 }
  t.same(verdicts('set-2000', run(published, 0.1)), [yes, yes, yes, yes, yes])
  t.same(verdicts('set-2000', run({ SET: 80, static: 83, dense: 86 }, 0.1)), [no, no, no, no, no])
  t.same(verdicts('set-2000', run(published, 6)), [open, open, open, open, open])
  t.end()
})

t.test('blocks', (t) => {
  const run =
    (loss: (run: Made) => number, seconds: (run: Made) => number) =>
    (made: Made): Outcome => {
      const single = made.method.endsWith('1x1')
      const { index } = made
      return single
        ? { accuracy: 89, seconds: 10 }
        : { accuracy: 89 - loss(made) + noise(index), seconds: seconds(made) * (1 + noise(index, 0.01)) }
    }
  const free = run(
    () => 0.1,
    () => 5,
  )
  t.same(verdicts('blocks', free), [yes, yes, yes, yes, yes, yes, yes, yes])
  const large = run(
    ({ method, dataset }) => (method === 'SET, 16x16' && dataset === 'Forest Cover' ? 3 : 0.1),
    ({ method }) => (method === 'RigL, 4x1' ? 20 : 5),
  )
  t.same(verdicts('blocks', large), [yes, yes, yes, no, no, yes, yes, yes])
  const wild = run(
    ({ index }) => noise(index, 3),
    ({ index }) => 10 + noise(index, 4),
  )
  t.same(verdicts('blocks', wild), [open, open, open, open, open, open, open, open])
  t.end()
})

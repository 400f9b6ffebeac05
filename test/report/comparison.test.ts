/** Tables, CSV and page of a comparison that never was. */
import Papa from 'papaparse'
import t from 'tap'
import { gridOf } from '../../lib/experiment/grid.js'
import { readStudy } from '../../lib/experiment/read-study.js'
import {
  type CompareRun,
  type Comparison,
  comparisonCsv,
  comparisonTables,
  renderComparison,
  type Study,
  summarize,
} from '../../lib/index.js'

const study: Study = {
  name: 'made up',
  datasets: ['digits', { name: 'digits', as: '<b>&"data", again', permutation: 1 }],
  sparsities: [0.9, 0.999],
  seeds: 3,
  network: { hidden: [32] },
  fit: { epochs: 2 },
  methods: [{ name: 'base' }, { name: '<i>other' }, { name: 'dense', network: { layer: { type: 'dense' } } }],
}

/** Accuracy by method and seed: `<i>other` is 0.01, 0.02 and 0.03 better than `base`, `dense` always the same. */
const accuracy = { base: [0.8, 0.82, 0.81], '<i>other': [0.81, 0.84, 0.84], dense: [0.9, 0.9, 0.9] } as const

function madeUp(change: Partial<Study> = {}): Comparison {
  const plan = readStudy({ ...study, ...change })
  const runs = gridOf(plan, new Map()).map((job): CompareRun => {
    const base = {
      format: 'espalier-compare-run',
      version: 1,
      job,
      started: '2024-05-06T07:08:09.000Z',
    } as const
    if (job.method.name === 'dense' && job.dataset.as !== 'digits' && job.seed === 2) {
      return {
        ...base,
        status: 'failed',
        error: { code: 'ERR_ESPALIER_DIVERGED', message: 'the loss, "NaN" <now>' },
      }
    }
    const score = accuracy[job.method.name as keyof typeof accuracy][job.seed - 1]!
    const history = [score - 0.1, score].map((accuracy, i) => ({
      epoch: i + 1,
      train: { loss: 0.5, accuracy: 0.9 },
      test: { loss: 0.4, accuracy },
      learningRate: 0.1,
      seconds: 0.5,
      samplesPerSecond: 2000,
      rewireSeconds: 0,
      connections: 1234,
    }))
    return {
      ...base,
      status: 'finished',
      data: { train: 1000, test: 100, features: 784, classes: 10 },
      result: {
        accuracy: score,
        loss: 0.4,
        trainAccuracy: 0.9,
        trainLoss: 0.5,
        best: { epoch: 2, accuracy: score, loss: 0.4 },
        epochs: 2,
        steps: 16,
        connections: 1234,
        parameters: 1300,
        sparsity: job.sparsity ?? 0,
        trainingFlops: 6 * 1234 * 2000,
        inferenceFlops: 2468,
        seconds: 1,
        samplesPerSecond: 2000,
        rewireSeconds: 0,
        prepareSeconds: 0,
        wallSeconds: 2,
        peakMemoryMB: 100,
        networkBytes: 4096,
      },
      history,
      layers: [],
      notes: {},
      measures: {},
      machine: {
        espalier: '0.1.0',
        node: 'v20.20.0',
        platform: 'linux-x64',
        processor: 'Abacus',
        instructionSet: 'baseline',
        device: 'cpu',
        card: null,
        precision: 'float32',
        threads: 1,
      },
    }
  })
  return { reason: 'finished', plan, folder: '/nowhere', runs, ...summarize(plan, runs) }
}

t.test('the table of a data set', async (t) => {
  const [table] = comparisonTables(madeUp())
  t.strictSame(table!.head, [
    'sparsity',
    'method',
    'accuracy, %',
    'runs',
    'difference',
    'p (t)',
    'Holm',
    'p (Wilcoxon)',
    'd_z',
    'd',
    'connections',
    'training FLOPs',
    'time',
    'network',
    'process',
  ])
  const sizes = ['1,234', '14.8 M', '1.00 s', '4.00 KiB', '100.0 MiB']
  t.strictSame(table!.rows[0], [
    '90 %',
    'base',
    '81.00 \u00b1 1.00',
    '3',
    'baseline',
    '',
    '',
    '',
    '',
    '',
    ...sizes,
  ])
  // Differences 0.01, 0.02, 0.03: mean 0.02, deviation 0.01, t = 2 sqrt 3 with 2 degrees of freedom. Of the eight comparisons
  // the four of dense have smaller p, so the first of this method counts four times.
  t.strictSame(table!.rows[1], [
    '90 %',
    '<i>other',
    '83.00 \u00b1 1.73',
    '3',
    '+2.00 [-0.48, +4.48]',
    '0.074',
    '0.297',
    '0.250',
    '2.00',
    '1.41',
    ...sizes,
  ])
  t.match(table!.rows[2], ['90 %', 'dense', '90.00 \u00b1 0.00'])
  t.strictSame(
    table!.rows.map(([sparsity]) => sparsity),
    ['90 %', '90 %', '90 %', '99.9 %', '99.9 %', '99.9 %'],
  )
})

t.test('failed runs in the table', async (t) => {
  const dense = comparisonTables(madeUp())[1]!.rows[2]!
  t.strictSame(dense.slice(0, 4), ['90 %', 'dense', '90.00 \u00b1 0.00', '2 (1 failed)'])
  t.equal(dense[7], '0.500', 'two pairs')
})

t.test('one seed', async (t) => {
  const comparison = madeUp({ seeds: 1 })
  t.strictSame(comparisonTables(comparison)[0]!.rows[1]!.slice(2, 10), [
    '81.00',
    '1',
    '+1.00',
    '-',
    '-',
    '-',
    '-',
    '-',
  ])
  t.match(comparison.remarks, [/^One seed: no test is possible/])
})

t.test('every run is a line of the CSV, whatever stands in names', async (t) => {
  const comparison = madeUp()
  const { data, errors } = Papa.parse<Record<string, string>>(comparisonCsv(comparison), {
    header: true,
    skipEmptyLines: true,
  })
  t.strictSame(errors, [])
  t.equal(data.length, 2 * 3 * 5)
  t.match(data[0], {
    dataset: 'digits',
    method: 'base',
    sparsity: '0.9',
    seed: '1',
    status: 'finished',
    accuracy: '0.8',
    connections: '1234',
    peakMemoryBytes: '104857600',
    run: comparison.runs[0]!.job.key,
  })
  const failed = data.find(({ status }) => status === 'failed')
  t.match(failed, {
    dataset: '<b>&"data", again',
    method: 'dense',
    sparsity: '',
    seed: '2',
    message: 'the loss, "NaN" <now>',
  })
})

t.test('the page', async (t) => {
  const page = await renderComparison(madeUp())
  t.match(page, /^<!doctype html>/)
  // For each data set the methods, and learning at two sparsities.
  t.equal(page.match(/<svg /g)?.length, 6)
  t.notMatch(page, '<b>')
  t.notMatch(page, '<i>')
  t.notMatch(page, /https?:\/\/(?!www\.w3\.org)/, 'it asks nothing of the network')
  t.match(page, 'the loss, &quot;NaN&quot; &lt;now&gt;')
  t.match(page, '1 of 30 runs failed')
  t.match(page, 'Abacus (cpu, baseline), 1 thread a run, linux-x64, Node v20.20.0, Espalier 0.1.0')
  const ids = [...page.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id)
  t.equal(new Set(ids).size, ids.length, 'names are unique')
  const alone = await renderComparison(madeUp({ sparsities: [0.9] }))
  t.equal(alone.match(/<svg /g)?.length, 4)
  const none = madeUp()
  t.match(
    await renderComparison({ ...none, reason: 'cancelled', runs: [], ...summarize(none.plan, []) }),
    'not finished',
  )
})

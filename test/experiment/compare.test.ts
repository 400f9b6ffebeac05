/** Whole comparisons of tiny networks, through the API. */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { RunFolder } from '../../lib/experiment/run-file.js'
import {
  type CompareProgress,
  compare,
  comparePairs,
  type FinishedRun,
  set,
  sgd,
  summarize,
} from '../../lib/index.js'
import { needsAddon, smallTable } from '../cli/process.js'
import { refusesEveryCut, survivesEveryChange } from '../support/data.js'
import { alive, childrenOf, noProc, runFiles, steady, tableFile, tableStudy } from './support.js'

/** A method that the loss of which is soon not finite. */
const diverging = {
  name: 'diverging',
  fit: { optimizer: sgd({ learningRate: 1e30, momentum: 0 }), epochs: 50 },
}
/** A method that does not end by itself within a test. */
const endless = { name: 'endless', fit: { epochs: 1e6 } }

t.test('a grid, resumed, extended and renamed', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const out = join(folder, 'out')
  const told: CompareProgress[] = []
  const options = {
    folder: out,
    processes: 2,
    onProgress: (progress: CompareProgress) => told.push(progress),
  }
  const study = tableStudy(folder)
  const result = await compare(study, options)

  t.equal(result.reason, 'finished')
  // Two seeds: random at two sparsities, dense once.
  t.equal(result.runs.length, 6)
  t.strictSame(runFiles(out), result.runs.map(({ job }) => `${job.key}.json`).sort())
  t.strictSame(readdirSync(out), ['runs'], 'the lock is given back')
  t.strictSame(told[0], { total: 6, done: 0, found: 0, failed: 0, epochs: 12, epochsDone: 0, ended: null })
  t.match(told.at(-1), { total: 6, done: 6, found: 0, failed: 0, epochs: 12, epochsDone: 12 })
  t.equal(told.filter(({ ended }) => ended !== null).length, 6)

  const run = result.runs[0] as FinishedRun
  t.equal(run.status, 'finished')
  t.strictSame(run.data, { train: 72, test: 18, features: 3, classes: 3 })
  // 12 x 3 weights half of which exist, and a dense layer of 3 x 12.
  t.equal(run.result.connections, 18 + 36)
  t.equal(run.result.parameters, 18 + 12 + 36 + 3)
  t.equal(run.result.sparsity, 0.5)
  t.equal(run.result.inferenceFlops, 2 * 54)
  t.equal(run.result.trainingFlops, 2 * 3 * 54 * 72 * 2)
  t.equal(run.result.steps, 10)
  t.equal(run.history.length, 2)
  t.strictSame(run.history[1]!.test, { accuracy: run.result.accuracy, loss: run.result.loss })
  t.equal(run.result.best.accuracy, Math.max(...run.history.map(({ test }) => test.accuracy!)))
  t.ok(run.result.peakMemoryMB > 20 && run.result.networkBytes > 0 && run.result.seconds > 0)
  t.match(run.machine, { device: 'cpu', threads: 1, node: process.version })

  t.equal(result.cells.length, 3)
  t.match(result.cells[2], {
    dataset: 'table',
    method: 'dense',
    sparsity: null,
    n: 2,
    failed: 0,
    metric: 'accuracy',
  })
  t.strictSame(
    result.comparisons.map(({ method, baseline, sparsity, n }) => [method, baseline, sparsity, n]),
    [
      ['dense', 'random', 0.5, 2],
      ['dense', 'random', 0.7, 2],
    ],
    'dense runs once and is compared at both sparsities',
  )
  const accuracies = result.runs.map((one) => (one as FinishedRun).result.accuracy!)
  const mean = (accuracies[0]! + accuracies[3]!) / 2
  t.ok(Math.abs(result.cells[0]!.mean! - mean) < 1e-12, 'runs of one cell are averaged over seeds')
  const other = comparePairs(result, { method: 'random', baseline: 'dense', dataset: 'table', sparsity: 0.5 })
  t.ok(Math.abs(other!.difference + result.comparisons[0]!.difference) < 1e-12)
  t.equal(summarize(result.plan, result.runs, 'dense').comparisons[0]!.method, 'random')
  t.throws(() => summarize(result.plan, result.runs, 'danse'), {
    message: 'summarize: option "baseline" is "danse"; allowed: random, dense',
  })

  const times = () => runFiles(out).map((file) => statSync(join(out, 'runs', file)).mtimeMs)
  const before = times()
  told.length = 0
  const again = await compare({ ...study, name: 'renamed', baseline: 'dense' }, options)
  t.strictSame(times(), before, 'nothing is done twice')
  t.strictSame(
    told.map(({ found, ended }) => [found, ended]),
    [[6, null]],
  )
  t.strictSame(again.runs, result.runs)
  t.equal(again.comparisons[0]!.baseline, 'dense')

  told.length = 0
  const more = await compare({ ...study, seeds: 3, sparsities: [0.5] }, options)
  t.equal(more.runs.length, 6)
  t.equal(told[0]!.found, 4)
  t.equal(runFiles(out).length, 8, 'a third seed of two methods')

  told.length = 0
  await compare({ ...study, fit: { ...study.fit, batchSize: 18 } }, options)
  t.equal(told[0]!.found, 0, 'a changed option is a new run')
  writeFileSync(join(folder, 'table.csv'), smallTable(120))
  told.length = 0
  const changed = await compare({ ...study, seeds: 1 }, options)
  t.equal(told[0]!.found, 0, 'so are other contents of a file')
  t.match(changed.remarks, [
    'One seed: no test is possible, and no spread is known; ask for more with "seeds".',
  ])
  t.match(changed.comparisons[0], { n: 1, p: null, wilcoxon: null, interval: null })
  t.match(changed.cells[0], { n: 1, deviation: null, interval: null })
})

t.test('processes and threads decide nothing', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const study = tableStudy(folder, {
    sparsities: [0.5],
    fit: { epochs: 3, batchSize: 16, rewire: set() },
  })
  const [one, two] = [
    await compare(study, { folder: join(folder, 'one'), processes: 1 }),
    await compare(study, { folder: join(folder, 'two'), processes: 2, threads: 2 }),
  ]
  t.strictSame(one.runs.map(steady), two.runs.map(steady))
})

t.test(
  'a run that fails stops no other, is kept, and is done again only when asked',
  needsAddon,
  async (t) => {
    const folder = t.testdir(tableFile)
    const options = { folder: join(folder, 'out'), processes: 2 }
    const study = tableStudy(folder, { sparsities: [0.5], methods: [diverging, { name: 'random' }] })
    const result = await compare(study, options)
    t.equal(result.reason, 'finished')
    const failed = result.runs.filter(({ status }) => status === 'failed')
    t.equal(failed.length, 2)
    t.match(failed[0], {
      job: { method: { name: 'diverging' } },
      error: { code: 'ERR_ESPALIER_DIVERGED', message: /loss/ },
    })
    t.match(result.cells[0], { method: 'diverging', n: 0, failed: 2, mean: null, sizes: null })
    t.match(result.cells[1], { method: 'random', n: 2, failed: 0 })
    t.strictSame(result.comparisons, [], 'there is no pair')
    t.match(result.remarks, ['2 of 4 runs failed; pairs are made of seeds that both methods finished.'])
    const ended: unknown[] = []
    const count = ({ ended: run }: CompareProgress) => run && ended.push(run)
    await compare(study, { ...options, onProgress: count })
    t.equal(ended.length, 0)
    await compare(study, { ...options, onProgress: count, retryFailed: true })
    t.equal(ended.length, 2)
  },
)

t.test(
  'a worker that is killed is a failed run',
  { ...needsAddon, ...(noProc ? { skip: noProc } : {}) },
  async (t) => {
    const folder = t.testdir(tableFile)
    const study = tableStudy(folder, { sparsities: [0.5], seeds: 1, methods: [endless, { name: 'random' }] })
    let killed = false
    const result = await compare(study, {
      folder: join(folder, 'out'),
      processes: 1,
      onProgress: ({ epochsDone }) => {
        if (killed || epochsDone === 0) return
        killed = true
        for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL')
      },
    })
    t.match(result.runs[0], {
      status: 'failed',
      error: {
        code: 'ERR_ESPALIER_MEMORY',
        message: /ended by SIGKILL; most likely the machine ran out of memory/,
      },
    })
    t.equal(result.runs[1]!.status, 'finished')
  },
)

t.test('a signal ends the workers and keeps what is done', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const out = join(folder, 'out')
  const study = tableStudy(folder, { sparsities: [0.5], seeds: 1, methods: [{ name: 'random' }, endless] })
  const controller = new AbortController()
  let workers: number[] = []
  const result = await compare(study, {
    folder: out,
    processes: 2,
    signal: controller.signal,
    onProgress: ({ done, epochsDone }) => {
      if (done === 0 || epochsDone <= 2 || controller.signal.aborted) return
      workers = noProc ? [] : childrenOf(process.pid)
      controller.abort()
    },
  })
  t.equal(result.reason, 'cancelled')
  t.strictSame(
    result.runs.map(({ job }) => job.method.name),
    ['random'],
  )
  t.equal(runFiles(out).length, 1)
  t.notOk(existsSync(join(out, 'lock')))
  t.notOk(workers.some(alive))
  const none = await compare(study, { folder: out, signal: AbortSignal.abort() })
  t.equal(none.reason, 'cancelled')
  t.equal(none.runs.length, 1, 'what was done is still told')
})

t.test('two comparisons at once in one folder', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const options = { folder: join(folder, 'out'), processes: 1 }
  const study = tableStudy(folder, { sparsities: [0.5], seeds: 1 })
  const [first, second] = await Promise.allSettled([compare(study, options), compare(study, options)])
  const refused = [first, second].filter((one) => one.status === 'rejected')
  t.equal(refused.length, 1)
  t.match(refused[0]!.reason, { code: 'ERR_ESPALIER_STATE', message: /is in use by another comparison/ })
})

t.test('what cannot start is an error before anything trains', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const out = join(folder, 'out')
  const study = tableStudy(folder)
  const ended: unknown[] = []
  const options = { folder: out, onProgress: ({ ended: run }: CompareProgress) => run && ended.push(run) }
  const wrong = async (change: object, expected: { code: string; message: string | RegExp }) => {
    await t.rejects(compare({ ...study, ...change }, options), expected)
    t.notOk(existsSync(join(out, 'lock')))
  }
  await wrong(
    { datasets: ['digitz'] },
    { code: 'ERR_ESPALIER_NOT_FOUND', message: /nearest names are digits/ },
  )
  await wrong(
    { datasets: [{ ...(study.datasets[0] as object), train: 1000 }] },
    {
      code: 'ERR_ESPALIER_OPTION',
      message: 'study: data set "table": option "train" is 1000; allowed: at most its 72 samples',
    },
  )
  await wrong(
    {
      methods: [
        study.methods[0],
        { name: 'flat', network: { layers: [{ type: 'dense', outputs: 2 }], loss: 'squaredError' } },
        { name: 'wrong', network: { output: { activation: 'relu' } } },
      ],
    },
    {
      code: 'ERR_ESPALIER_OPTION',
      message: /study: method "wrong" on "table": new Network: option "layers\[1\].activation" is "relu"/,
    },
  )
  await t.rejects(compare(study, { ...options, proceses: 2 } as never), {
    message: 'compare: unknown option "proceses"; did you mean "processes"?',
  })
  t.strictSame(ended, [])
  t.equal(runFiles(out).length, 0)
})

t.test('a file that is not a run', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const out = join(folder, 'out')
  const study = tableStudy(folder, { sparsities: [0.5], seeds: 1 })
  const { runs } = await compare(study, { folder: out })
  const file = join(out, 'runs', `${runs[0]!.job.key}.json`)
  writeFileSync(file, '{"half":')
  await t.rejects(compare(study, { folder: out }), {
    code: 'ERR_ESPALIER_FORMAT',
    message: /remove it, and it is done again/,
  })
  const run = runs[0] as FinishedRun
  writeFileSync(file, JSON.stringify({ ...run, result: { ...run.result, seconds: null } }))
  await t.rejects(compare(study, { folder: out }), {
    code: 'ERR_ESPALIER_FORMAT',
    message: `${file}: not the run of a comparison ("result.seconds"); remove it, and it is done again`,
  })
  const read = () => new RunFolder(join(out, 'runs')).read([run.job])
  const bytes = Buffer.from(JSON.stringify(run))
  await refusesEveryCut(t, file, bytes, read)
  await survivesEveryChange(t, file, bytes, read)
  rmSync(file)
  t.equal((await compare(study, { folder: out })).runs.length, 2)
})

t.test(
  'samples drawn, pixels shuffled, a division for each seed; two data sets; regression',
  needsAddon,
  async (t) => {
    const folder = t.testdir(tableFile)
    const digits = { name: 'digits', train: 60, test: 30 }
    const result = await compare(
      tableStudy(folder, {
        datasets: [digits, { ...digits, as: 'shuffled', permutation: 1 }],
        sparsities: [0.9],
        seeds: 1,
        methods: [{ name: 'random' }],
        split: 'perSeed',
      }),
      { folder: join(folder, 'digits') },
    )
    t.strictSame(
      result.runs.map((run) => (run as FinishedRun).data),
      [1, 2].map(() => ({ train: 60, test: 30, features: 784, classes: 10 })),
    )
    t.strictSame(
      result.cells.map(({ dataset }) => dataset),
      ['digits', 'shuffled'],
    )
    const name = join(folder, 'table.csv')
    const regression = await compare(
      tableStudy(folder, {
        datasets: [{ name, as: 'numbers', label: 'right', task: 'regression' }],
        seeds: 2,
      }),
      { folder: join(folder, 'regression') },
    )
    const run = regression.runs[0] as FinishedRun
    t.equal(run.result.accuracy, null)
    t.equal(regression.cells[0]!.metric, 'loss')
    t.equal(run.result.best.loss, Math.min(...run.history.map(({ test }) => test.loss)))
  },
)

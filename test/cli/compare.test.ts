/** `espalier compare` as a process. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { alive, childrenOf, noProc, runFiles, tableFile } from '../experiment/support.js'
import { espalier, needsAddon } from './process.js'

const study = {
  name: 'tiny study',
  datasets: [
    { name: 'table.csv', as: 'table', label: 'kind' },
    { name: 'digits', train: 100, test: 50 },
  ],
  sparsities: [0.5],
  seeds: 2,
  network: { hidden: [12, 8], device: 'cpu' },
  fit: { epochs: 1, batchSize: 16 },
  methods: [
    { name: 'ERK' },
    { name: 'uniform', network: { topology: { type: 'uniform' } } },
    { name: 'dense', network: { layer: { type: 'dense' } } },
  ],
  measures: [{ type: 'fanIn' }],
}

const files = (change: object = {}) => ({
  ...tableFile,
  'study.json': JSON.stringify({ ...study, ...change }),
})
const long = {
  datasets: [study.datasets[0]],
  methods: [{ name: 'short' }, { name: 'long', fit: { epochs: 1e6 } }],
}

t.test(
  'a table for people, a page and a list of runs; then the same from what is there',
  needsAddon,
  async (t) => {
    const folder = t.testdir(files())
    const out = join(folder, 'runs', 'tiny study')
    const { code, stdout, stderr } = await espalier(folder, ['compare', 'study.json', '--processes', '2'])
    t.equal(code, 0, stderr)
    t.equal(stderr, '', 'no bar where nobody watches')
    t.match(stdout, /\n +12\/12 {2}\w+, \w+.*seed \d: \d+\.\d\d % in /)
    t.match(
      stdout,
      /\ntable\nsparsity +method +accuracy, % +runs +difference +p \(t\) +Holm +p \(Wilcoxon\) +d_z +d +fan-in CV +connections/,
    )
    t.match(stdout, /\n +50 % +ERK +\d+\.\d\d \u00b1 \d+\.\d\d +2 +baseline/)
    t.match(stdout, /With 2 pairs the signed rank test cannot give p below 0\.500/)
    t.match(stdout, "Holm's correction is over the 4 comparisons of the study.")
    t.match(stdout, /\nreport +runs\/tiny study\/report\.html\nruns +runs\/tiny study\/runs\.csv\n$/)
    t.equal(runFiles(out).length, 12)
    const page = readFileSync(join(out, 'report.html'), 'utf8')
    t.equal(page.match(/<svg /g)?.length, 4, 'methods and learning for each data set')
    t.notMatch(page, /https?:\/\/(?!www\.w3\.org)/, 'it asks nothing of the network')
    const csv = readFileSync(join(out, 'runs.csv'), 'utf8').trimEnd().split('\r\n')
    t.equal(csv.length, 13)
    t.match(csv[0], /^dataset,method,sparsity,seed,status,accuracy,loss,/)

    const again = await espalier(folder, ['compare', 'study.json', '--json', '--out', out])
    t.equal(again.code, 0)
    t.equal(again.stdout.trimEnd().split('\n').length, 1, 'nothing else on standard output')
    t.match(again.stderr, '12 of 12 runs were done before')
    t.match(again.json(), {
      name: 'tiny study',
      reason: 'finished',
      folder: out,
      report: join(out, 'report.html'),
      csv: join(out, 'runs.csv'),
      runs: 12,
      failed: [],
      baseline: 'ERK',
      cells: [{ method: 'ERK', n: 2, measures: { fanIn: Number } }],
      comparisons: [{ method: 'uniform', baseline: 'ERK', n: 2, dataset: 'table' }],
    })
  },
)

for (const [what, text, message, code] of [
  [
    'a misspelt key',
    JSON.stringify({ ...study, sparsites: [0.5] }),
    /unknown option "sparsites"; did you mean "sparsities"\?/,
    2,
  ],
  [
    'a key that stands twice',
    '{ "name": "a",\n "name": "b" }',
    /key "name" stands twice in one object \(line 2\)/,
    1,
  ],
  ['what is not JSON', '{ name: 1 }', /study\.json: not JSON/, 1],
] as const) {
  t.test(what, async (t) => {
    const folder = t.testdir({ 'study.json': text })
    const run = await espalier(folder, ['compare', 'study.json', '--json'])
    t.equal(run.code, code)
    t.match(run.stderr, /^espalier: [^\n]+\n$/, 'one line')
    t.match(run.json(), { error: { message } })
    t.notOk(existsSync(join(folder, 'runs')), 'nothing was begun')
  })
}

t.test('a study that is not there', async (t) => {
  const { code, stderr } = await espalier(t.testdir(), ['compare', 'study.json'])
  t.equal(code, 1)
  t.equal(stderr, 'espalier: study.json: no such study file\n')
})

const linux = { ...needsAddon, ...(noProc ? { skip: noProc } : {}) }

t.test('Ctrl-C ends the workers and keeps what is done', linux, async (t) => {
  const folder = t.testdir(files(long))
  let workers: number[] = []
  const args = ['compare', 'study.json', '--processes', '2', '--out', 'out', '--json']
  const { code, stderr, json } = await espalier(folder, args, (child, printed) => {
    if (workers.length > 0 || !/1\/4 {2}table, short/.test(printed)) return
    workers = childrenOf(child.pid!)
    child.kill('SIGINT')
  })
  t.equal(code, 130, stderr)
  t.match(stderr, 'SIGINT: ending the runs under way; those that are done are kept')
  t.ok(workers.length > 0)
  t.notOk(workers.some(alive))
  t.match(json(), { reason: 'cancelled', remarks: [] })
  t.ok(runFiles(join(folder, 'out')).length >= 1)
  t.notOk(existsSync(join(folder, 'out', 'lock')))
})

t.test('killed at once, it leaves no worker, and goes on where it stopped', linux, async (t) => {
  const folder = t.testdir(files(long))
  let workers: number[] = []
  const args = ['compare', 'study.json', '--processes', '2', '--out', 'out', '--json']
  const killed = await espalier(folder, args, (child, printed) => {
    if (workers.length > 0 || !/1\/4 {2}table, short/.test(printed)) return
    workers = childrenOf(child.pid!)
    child.kill('SIGKILL')
  })
  t.equal(killed.code, null)
  for (let wait = 0; wait < 100 && workers.some(alive); wait++)
    await new Promise((done) => setTimeout(done, 50))
  t.notOk(workers.some(alive), 'workers notice that nobody listens')
  t.ok(existsSync(join(folder, 'out', 'lock')), 'its lock is still there')
  const done = runFiles(join(folder, 'out')).filter((file) => file.endsWith('.json')).length
  t.ok(done >= 1)
  writeFileSync(
    join(folder, 'study.json'),
    JSON.stringify({ ...study, ...long, methods: long.methods.slice(0, 1) }),
  )
  const again = await espalier(folder, args)
  t.equal(again.code, 0)
  t.match(again.stderr, `${done} of 2 runs were done before`)
  t.match(again.json(), { reason: 'finished', runs: 2 })
})

/** The quick form of every study, cut down to a table that is trained in moments; data that is missing; what is printed. */
import { join } from 'node:path'
import t from 'tap'
import {
  compare,
  type FinishedRun,
  type Study,
  type StudyDefinition,
  studies,
  studyMarkdown,
} from '../../lib/index.js'
import { carryOut } from '../../lib/study/run.js'
import { needsAddon } from '../cli/process.js'
import { rejectsWith } from '../support/data.js'

// What is on this machine must not matter.
process.env.ESPALIER_DATA = ''

/** 90 samples of 64 numbers in three classes. */
function wideTable(): string {
  const names = Array.from({ length: 64 }, (_, j) => `f${j}`)
  const rows = Array.from({ length: 90 }, (_, i) =>
    [...names.map((_, j) => ((i * 7 + j * 13 + ((i % 3) * j) / 3) % 17).toFixed(2)), `kind ${i % 3}`].join(
      ',',
    ),
  )
  return [[...names, 'kind'].join(','), ...rows, ''].join('\n')
}

/** A study on the table: the same methods, preparations and measures, two seeds, small layers, two epochs. */
function tiny(study: StudyDefinition, folder: string): StudyDefinition {
  const { quick } = study
  const table = { name: join(folder, 'table.csv'), label: 'kind' }
  // Under the name of the study's first data set, which some claims ask for.
  const datasets = quick.datasets.slice(0, 1).map((dataset) => {
    const { name, as = name, permutation } = dataset as { name: string; as?: string; permutation?: number }
    return { ...table, as, ...(permutation === undefined ? {} : { permutation }) }
  })
  return {
    ...study,
    quick: {
      ...quick,
      datasets,
      seeds: 2,
      network: { ...quick.network, hidden: [32, 32], device: 'cpu' },
      fit: { ...quick.fit, epochs: 3, batchSize: 16 },
    },
  }
}

for (const study of studies) {
  t.test(`${study.name}: its quick form on tiny data`, needsAddon, async (t) => {
    const folder = t.testdir({ 'table.csv': wideTable() })
    const out = join(folder, 'out')
    const result = await carryOut(tiny(study, folder), { folder: out })
    const failed = result.comparison.runs.flatMap((run) =>
      run.status === 'failed' ? [`${run.job.method.name}: ${run.error.message}`] : [],
    )
    t.strictSame(failed, [], 'every run finished')
    t.equal(result.claims.length, study.claims.length)
    for (const { verdict, measured } of result.claims) {
      t.match(verdict, /^(supported|not supported|undecided)$/)
      t.ok(measured.length > 0 && measured.every((line) => !line.includes('NaN')), measured.join('; '))
    }
    t.match(result, { form: 'quick', standIn: false, missing: [], found: 0 })
    const markdown = studyMarkdown(result)
    t.match(markdown, `## ${study.name}: ${study.title}\n`)
    t.match(markdown, `**Claim ${study.claims.length}.**`)
    const again = await carryOut(tiny(study, folder), { folder: out })
    t.equal(again.found, again.comparison.runs.length, 'nothing is done twice')
    t.same(again.claims, result.claims)
  })
}

const [first] = studies

t.test('data sets that are missing', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': wideTable(), cache: {} })
  const small = tiny(first!, folder)
  const places = { cacheDirectory: join(folder, 'cache'), folder: join(folder, 'out') }
  // Its files are nowhere to be downloaded one by one.
  const letters = { name: 'emnist-letters', as: 'EMNIST Letters' }
  const datasets = [...small.quick.datasets.slice(0, 1), letters]
  const part = await carryOut({ ...small, quick: { ...small.quick, datasets } }, places)
  t.equal(part.standIn, false)
  t.match(part.missing, [{ dataset: 'EMNIST Letters', reason: /^emnist-letters: not found in .*--data/ }])
  t.strictSame(
    part.comparison.plan.datasets.map(({ as }) => as),
    ['Fashion-MNIST'],
  )
  t.match(studyMarkdown(part), 'EMNIST Letters is missing: emnist-letters: not found')

  const standIns = [
    { ...(small.quick.datasets[0] as object), as: 'generated' },
  ] as unknown as StudyDefinition['standIns']
  const none = {
    ...small,
    quick: { ...small.quick, datasets: [letters] },
    full: { ...small.quick, datasets: [letters] },
    standIns,
  }
  const generated = await carryOut(none, { ...places, seeds: 1 })
  t.equal(generated.standIn, true)
  t.equal(generated.comparison.plan.name, 'psn-static-quick-generated')
  t.match(generated.notes.at(-1), /^No data set of the study could be had/)
  t.match(studyMarkdown(generated), '**Undecided at 1 seed, in the quick form, on generated data.**')
  await rejectsWith(
    t,
    carryOut(none, { ...places, full: true }),
    'ERR_ESPALIER_OFFLINE',
    'study psn-static: no data set could be had: emnist-letters: not found',
  )
})

t.test('a study that is stopped has no verdict, and goes on later', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': wideTable() })
  const small = tiny(first!, folder)
  const stop = new AbortController()
  const options = { folder: join(folder, 'out'), processes: 1 }
  const stopped = await carryOut(small, {
    ...options,
    signal: stop.signal,
    onProgress: ({ done }) => {
      if (done > 2) stop.abort()
    },
  })
  t.equal(stopped.comparison.reason, 'cancelled')
  t.strictSame(stopped.claims, [])
  const rest = await carryOut(small, options)
  t.equal(rest.comparison.reason, 'finished')
  t.ok(rest.found >= 3)
  t.equal(rest.claims.length, first!.claims.length)
})

/** Methods and measures on the table in the folder, one seed each. */
const compareOnce = (folder: string, rest: Pick<Study, 'methods' | 'measures'>) =>
  compare(
    {
      name: 'once',
      datasets: [{ name: join(folder, 'table.csv'), label: 'kind' }],
      sparsities: [0.75],
      seeds: 1,
      network: { hidden: [32], device: 'cpu' },
      fit: { epochs: 2, batchSize: 16 },
      ...rest,
    },
    { folder: join(folder, 'out') },
  )

t.test('gradientConcentration and fanInShape', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': wideTable() })
  const result = await compareOnce(folder, {
    methods: [
      { name: 'flat', network: { topology: { type: 'constantFanIn', density: 'erdosRenyi' } } },
      { name: 'dense', network: { layer: { type: 'dense' } } },
    ],
    measures: [{ type: 'gradientConcentration', samples: 40 }, { type: 'fanInShape' }],
  })
  const [flat, dense] = result.runs as FinishedRun[]
  const looks = flat!.measures.gradientConcentration as unknown as {
    when: string
    layers: { cv: number; concentration: number; perNeuron: number }[]
  }[]
  t.strictSame(
    looks.map(({ when }) => when),
    ['start', 'end'],
  )
  for (const { layers } of looks) {
    t.equal(layers[0]!.cv, 0)
    t.ok(layers[0]!.concentration > 0)
    t.equal(layers[0]!.perNeuron, layers[0]!.concentration, 'without hubs the readings are one')
  }
  const shapes = flat!.measures.fanInShape as unknown as {
    [when: string]: { layer: number; quantiles: number[] }[]
  }
  t.strictSame(shapes.after, [{ layer: 0, cv: 0, quantiles: new Array(65).fill(16) }])
  t.match(dense!.measures, {
    gradientConcentration: [{ layers: [] }, { layers: [] }],
    fanInShape: { before: [], after: [] },
  })
  t.strictSame(result.cells[1]!.measures, { gradientConcentration: null, fanInShape: null })
})

t.test('preparations: equilibrium and spatiallyCoupled', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': wideTable() })
  const result = await compareOnce(folder, {
    methods: [
      { name: 'equilibrium', prepare: [{ type: 'equilibrium', epochs: 2 }] },
      ...(['anova', 'equal'] as const).map((importance) => ({
        name: importance,
        prepare: [{ type: 'spatiallyCoupled', importance, blocks: 4, window: 2 } as const],
      })),
    ],
    measures: [{ type: 'fanInShape' }],
  })
  t.ok(result.runs.every(({ status }) => status === 'finished'))
  const [start, ...bands] = result.runs as FinishedRun[]
  const { cv } = start!.notes.equilibrium as unknown as { cv: number[] }
  const { before } = start!.measures.fanInShape as unknown as { before: { cv: number }[] }
  t.ok(Math.abs(before[0]!.cv - cv[0]!) < 0.05, `started at ${before[0]!.cv}, found ${cv[0]}`)
  for (const band of bands) t.equal(band.result.connections, start!.result.connections, 'the same budget')
})

/** Samples that a comparison draws once for all of its runs. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadStudyData } from '../../lib/experiment/data.js'
import { keptSamples, withSampleFolder } from '../../lib/experiment/kept-samples.js'
import { compare, type LoadedSplit } from '../../lib/index.js'
import { needsAddon } from '../cli/process.js'
import { tableFile, tableStudy } from './support.js'

const plain = ({ train, test, scaling }: LoadedSplit) => ({
  scaling,
  parts: [train, test].map(({ values, labels, targets, ...rest }) => ({
    ...rest,
    values: [...values],
    labels: labels && [...labels],
    targets: targets && [...targets],
  })),
})

t.test('what is read is what was drawn', async (t) => {
  const folder = t.testdir({ ...tableFile, kept: {} })
  const name = join(folder, 'table.csv')
  for (const task of ['classification', 'regression'] as const) {
    const label = task === 'classification' ? 'kind' : 'left'
    const shared = { name, as: 'table', label, task, scaling: 'standard', permutation: 3 } as const
    const dataset = { ...shared, train: 40 }
    const drawn = await loadStudyData(dataset, 5, {})
    const first = await keptSamples(join(folder, 'kept'), dataset, 5, {})
    const again = await keptSamples(join(folder, 'kept'), dataset, 5, {})
    t.same(plain(first), plain(drawn))
    t.same(plain(again), plain(drawn))
    t.equal(again.train.samples, 40)
    const files = readdirSync(join(folder, 'kept')).length
    t.notSame(plain(await keptSamples(join(folder, 'kept'), dataset, 6, {})), plain(drawn), 'another seed')
    t.equal(readdirSync(join(folder, 'kept')).length, files + 1)
    await keptSamples(join(folder, 'kept'), shared, 5, {})
    t.equal(readdirSync(join(folder, 'kept')).length, files + 1, 'whole sets are not kept')
  }
})

t.test('the folder is empty at first, and gone at the end, whatever happens', async (t) => {
  const folder = join(t.testdir(), 'samples')
  mkdirSync(folder)
  writeFileSync(join(folder, 'old'), '')
  t.equal(await withSampleFolder(folder, async () => readdirSync(folder).length), 0)
  t.notOk(existsSync(folder))
  await t.rejects(
    withSampleFolder(folder, async () => {
      throw new Error('lost')
    }),
    { message: 'lost' },
  )
  t.notOk(existsSync(folder))
})

t.test('a comparison leaves none', needsAddon, async (t) => {
  const folder = t.testdir(tableFile)
  const { datasets, ...study } = tableStudy(folder, { seeds: 1, sparsities: [0.5] })
  const out = join(folder, 'out')
  const few = datasets.map((dataset) => ({ ...(dataset as { name: string }), train: 30 }))
  const result = await compare({ ...study, datasets: few }, { folder: out })
  t.match(result.runs, [{ data: { train: 30 } }, { data: { train: 30 } }])
  t.notOk(existsSync(join(out, 'samples')))
})

import { readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import {
  dense,
  fanCounts,
  layerMatrix,
  Network,
  recordTensorBoard,
  rigl,
  sgd,
  sparse,
  TensorBoardWriter,
} from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { rejectsWith } from '../support/data.js'
import { readEvents } from '../support/event-file.js'

const skip = { skip: noAddon }

t.test('scalars and histograms in the order of their calls', async (t) => {
  const writer = await TensorBoardWriter.open(join(t.testdir(), 'logs', 'run'))
  t.match(basename(writer.path), /^events\.out\.tfevents\.\d{10}\.espalier\.\d+\.\d+$/)
  const values = Float64Array.from({ length: 640 }, (_, i) => i)
  await Promise.all([
    writer.scalars(1, { 'loss/train': 0.5, accuracy: 1 }),
    writer.histogram(2 ** 40, 'weights', values),
    writer.histogram(3, 'equal', [2, Number.NaN, 2]),
    writer.histogram(4, 'none', [Number.POSITIVE_INFINITY]),
  ])
  await writer.close()
  const { version, summaries } = readEvents(writer.path)
  t.equal(version, 'brain.Event:2')
  t.strictSame(summaries.slice(0, 2), [
    { step: 1, tag: 'loss/train', scalar: 0.5 },
    { step: 1, tag: 'accuracy', scalar: 1 },
  ])
  const [, , weights, equal, none] = summaries
  t.match(weights, {
    step: 2 ** 40,
    tag: 'weights',
    histogram: { min: 0, max: 639, num: 640, sum: 204480, squares: 87176640 },
  } as never)
  t.equal(
    weights!.histogram!.counts.reduce((a, b) => a + b),
    640,
  )
  t.strictSame(new Set(weights!.histogram!.counts), new Set([10]))
  t.equal(weights!.histogram!.limits.length, 64)
  t.equal(weights!.histogram!.limits.at(-1), 639)
  t.match(equal!.histogram, { min: 2, max: 2, num: 2, sum: 4, squares: 8, limits: [2], counts: [2] })
  t.match(none!.histogram, { num: 0, limits: [0], counts: [0] })
})

t.test('two writers in one folder have files of their own; a folder that cannot be made', async (t) => {
  const folder = t.testdir()
  const writers = [await TensorBoardWriter.open(folder), await TensorBoardWriter.open(folder)]
  await Promise.all(writers.map((writer) => writer.close()))
  t.equal(readdirSync(folder).length, 2)
  writeFileSync(join(folder, 'file'), '')
  await rejectsWith(t, TensorBoardWriter.open(join(folder, 'file', 'x')), 'ERR_ESPALIER_FILE', 'cannot write')
  await rejectsWith(t, writers[0]!.scalars(1, { a: 1 }), 'ERR_ESPALIER_FILE', writers[0]!.path)
})

t.test('what cannot be written is refused by name', async (t) => {
  const writer = await TensorBoardWriter.open(t.testdir())
  const code = 'ERR_ESPALIER_OPTION'
  await rejectsWith(
    t,
    writer.scalars(1.5, { a: 1 }),
    code,
    'scalars: option "step" is 1.5; allowed: a whole number',
  )
  await rejectsWith(t, writer.scalars(1, undefined as never), code, 'option "values" is missing')
  await rejectsWith(
    t,
    writer.scalars(1, { a: 'x' as never }),
    code,
    'option "values.a" is "x"; allowed: a number',
  )
  await rejectsWith(t, writer.histogram(1.5, 'a', [1]), code, 'histogram: option "step" is 1.5')
  await rejectsWith(t, writer.histogram(1, 'a', undefined as never), code, 'option "values" is missing')
  await rejectsWith(t, TensorBoardWriter.open(undefined as never), code, 'option "path" is missing')
  await writer.scalars(1, { diverged: Number.NaN })
  await writer.close()
  t.equal(readEvents(writer.path).summaries.length, 1, 'and what is right still is written')
})

t.test('a run leaves its course and its layers', skip, async (t) => {
  const folder = join(t.testdir(), 'logs')
  using network = new Network({
    inputs: 8,
    layers: [sparse(20, { block: '4x1' }), dense(3)],
    sparsity: 0.6,
    device: 'cpu',
  })
  const data = clouds(120, 8, 3)
  const run = network.fit(data, { epochs: 4, batchSize: 30, rewire: rigl({ every: 2 }), validation: data })
  const [result, file] = await Promise.all([run, recordTensorBoard(run, network, folder)])
  t.equal(dirname(file), folder)
  const { summaries } = readEvents(file)
  const of = (tag: string) => summaries.filter((summary) => summary.tag === tag)
  for (const [tag, value] of Object.entries({
    'loss/train': (epoch: (typeof result.history)[number]) => epoch.train.loss,
    'accuracy/train': (epoch: (typeof result.history)[number]) => epoch.train.accuracy!,
    'loss/validation': (epoch: (typeof result.history)[number]) => epoch.validation!.loss,
    'accuracy/validation': (epoch: (typeof result.history)[number]) => epoch.validation!.accuracy!,
    learning_rate: (epoch: (typeof result.history)[number]) => epoch.learningRate,
    rewire_seconds: (epoch: (typeof result.history)[number]) => epoch.rewireSeconds,
    samples_per_second: (epoch: (typeof result.history)[number]) => epoch.samplesPerSecond,
  })) {
    t.strictSame(
      of(tag),
      result.history.map((epoch) => ({ step: epoch.step, tag, scalar: Math.fround(value(epoch)) })),
      tag,
    )
  }
  const snapshot = await network.snapshot()
  const last = of('layers.0/weights').at(-1)!
  t.equal(last.step, 16)
  const { values } = layerMatrix(snapshot, 0)
  t.match(last.histogram, { num: values.length, min: Math.min(...values), max: Math.max(...values) })
  const fans = of('layers.0/fan-in').at(-1)!.histogram!
  t.equal(
    fans.sum,
    fanCounts(await network.pattern(0)).fanIn.reduce((a, b) => a + b),
  )
  t.equal(fans.num, 20)
})

t.test('a run that fails rejects here too; without histograms', skip, async (t) => {
  using network = new Network({ inputs: 4, layers: [dense(2)], loss: 'squaredError', device: 'cpu' })
  const data = {
    ...clouds(20, 4, 2),
    labels: undefined as never,
    targets: new Float32Array(40).fill(1e30),
    outputs: 2,
  }
  const run = network.fit(data, { epochs: 9, optimizer: sgd({ learningRate: 1e30 }) })
  await rejectsWith(
    t,
    recordTensorBoard(run, network, t.testdir(), { histograms: false }),
    'ERR_ESPALIER_DIVERGED',
  )
  using calm = new Network(network.description)
  const good = calm.fit({ ...data, targets: new Float32Array(40) }, { epochs: 1 })
  const file = await recordTensorBoard(good, calm, t.testdir(), { histograms: false })
  await good
  t.strictSame(
    new Set(readEvents(file).summaries.map(({ tag }) => tag)),
    new Set(['learning_rate', 'samples_per_second', 'rewire_seconds', 'loss/train']),
  )
  await rejectsWith(
    t,
    recordTensorBoard(good, network, t.testdir(), { histogram: true } as never),
    'ERR_ESPALIER_OPTION',
  )
})

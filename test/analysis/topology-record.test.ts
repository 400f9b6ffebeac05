import t from 'tap'
import {
  dense,
  fanCounts,
  Network,
  recordTopology,
  rigl,
  sparse,
  type TopologyRecord,
  topologyRecord,
  topologySeries,
} from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { pattern } from './patterns.js'

const record = (epochs: number, rows: number[][]): TopologyRecord => ({
  epochs,
  steps: epochs * 10,
  patterns: [pattern([1, 1], 3, 2, rows), null],
})

t.test('a series by hand', async (t) => {
  const series = topologySeries([record(0, [[0, 1], []]), record(1, [[0], [2]]), record(2, [[1], [2]])])
  t.strictSame(
    series.map(({ epochs, steps }) => [epochs, steps]),
    [
      [0, 0],
      [1, 10],
      [2, 20],
    ],
  )
  const layers = series.map(({ layers }) => layers)
  // Fan-in 2, 0 at first, then 1, 1: each neuron is a whole mean away.
  t.strictSame(layers, [
    [
      {
        layer: 0,
        fromFirst: 0,
        fromPrevious: 0,
        fanInCv: 1,
        fanInFromFirst: 0,
        fanInFromPrevious: 0,
        fanInFromLast: 1,
      },
    ],
    [
      {
        layer: 0,
        fromFirst: 0.5,
        fromPrevious: 0.5,
        fanInCv: 0,
        fanInFromFirst: 1,
        fanInFromPrevious: 1,
        fanInFromLast: 0,
      },
    ],
    [
      {
        layer: 0,
        fromFirst: 0.5,
        fromPrevious: 0.5,
        fanInCv: 0,
        fanInFromFirst: 1,
        fanInFromPrevious: 0,
        fanInFromLast: 0,
      },
    ],
  ])
  t.strictSame(topologySeries([]), [])
})

t.test('a run is followed', { skip: noAddon }, async (t) => {
  const data = clouds(1200, 20, 3)
  using network = new Network({
    inputs: 20,
    layers: [sparse(64), sparse(48, { block: '2x2' }), dense(3)],
    sparsity: 0.7,
    seed: 4,
    device: 'cpu',
  })
  const start = topologyRecord(await network.snapshot())
  t.equal(start.steps, 0)
  t.equal(start.patterns.length, 3)
  t.equal(start.patterns[2], null)
  const run = network.fit(data, { epochs: 8, batchSize: 16, rewire: rigl({ every: 20 }), threads: 1 })
  const [result, records] = await Promise.all([run, recordTopology(network, run)])
  const steps = records.map((each) => each.steps)
  t.ok(records.length >= 2, `${records.length} records`)
  t.strictSame(
    steps,
    [...new Set(steps)].sort((a, b) => a - b),
    'in the order of time, each once',
  )
  t.equal(steps.at(-1), result.steps)
  t.strictSame(records.at(-1)!.patterns[0], await network.pattern(0))

  const series = topologySeries([start, ...records])
  for (const { layers } of series) {
    t.strictSame(
      layers.map(({ layer }) => layer),
      [0, 1],
    )
    for (const { layer, ...numbers } of layers) {
      for (const [name, value] of Object.entries(numbers))
        if (!(value >= 0 && value <= 2)) t.fail(`${name} of layer ${layer} is ${value}`)
    }
  }
  const last = series.at(-1)!.layers[0]!
  t.ok(last.fromFirst > 0.1, `${last.fromFirst} of the connections are gone`)
  t.equal(last.fanInFromLast, 0)
  const { fanIn } = fanCounts(records.at(-1)!.patterns[0]!)
  t.equal(
    fanIn.reduce((sum, count) => sum + count, 0),
    network.summary()[0]!.connections,
  )
})

t.test('a run that fails takes the record with it', { skip: noAddon }, async (t) => {
  const values = new Float32Array(4).fill(Number.NaN)
  const data = { name: 'bad', samples: 2, features: 2, values, labels: Int32Array.of(0, 1), classes: 2 }
  using network = new Network({ inputs: 2, layers: [sparse(4), dense(2)], device: 'cpu' })
  const run = network.fit(data)
  const records = recordTopology(network, run)
  await t.rejects(run, { code: 'ERR_ESPALIER_DATA' })
  await t.rejects(records, { code: 'ERR_ESPALIER_DATA' })
})

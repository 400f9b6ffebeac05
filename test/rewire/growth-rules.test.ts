import path from 'node:path'
import t from 'tap'
import {
  adam,
  cht,
  chts,
  constantFanIn,
  dense,
  dropout,
  erdosRenyi,
  layerNorm,
  mest,
  Network,
  type RewireRule,
  sgd,
  snfs,
  snip,
  sparse,
  srigl,
} from '../../lib/index.js'
import { bits, clouds, noAddon } from '../model/support.js'

const rules: Record<string, RewireRule> = {
  mest: mest({ every: 7 }),
  'mest with a soft bound': mest({ every: 7, softBound: true }),
  snfs: snfs({ every: 9, sampleEvery: 2 }),
  snip: snip(),
  srigl: srigl({ every: 7, minimumSalient: 0.7 }),
  cht: cht({ every: 9, stopAt: 0.5 }),
  chts: chts({ every: 9, initialization: 'he' }),
}
const data = clouds(600, 20, 3)
const layers = [sparse(40, { activation: 'srelu' }), layerNorm(), dropout(0.2), sparse(30), dense(3)]

const topologyFor = (rule: string) => (rule === 'srigl' ? constantFanIn() : erdosRenyi())
const make = (rule: string) =>
  new Network({ inputs: 20, layers, sparsity: 0.8, topology: topologyFor(rule), seed: 3, device: 'cpu' })

t.test('a resumed run equals an uninterrupted one, bit for bit', { skip: noAddon }, async (t) => {
  const folder = t.testdir()
  const many = clouds(3000, 20, 3)
  for (const [rule, rewire] of Object.entries(rules)) {
    for (const [name, optimizer] of Object.entries({ momentum: sgd({ learningRate: 0.05 }), adam: adam() })) {
      const settings = { epochs: 4, batchSize: 15, rewire, optimizer, threads: 1 }
      const whole = make(rule)
      await whole.fit(many, settings)

      const interrupted = make(rule)
      const first = await interrupted.fit(many, { ...settings, maxSteps: 317 })
      t.equal(first.reason, 'maxSteps', `${rule}, ${name} was interrupted`)
      const file = path.join(folder, `${rule}-${name}.safetensors`)
      await interrupted.save(file)

      const resumed = await Network.load(file, { device: 'cpu' })
      t.strictSame(
        bits(await resumed.snapshot()),
        bits(await interrupted.snapshot()),
        'the file holds everything',
      )
      const result = await resumed.fit(many, { ...settings, resume: true })
      t.match(result, { reason: 'finished', epochs: 4, steps: 800 })
      t.strictSame(bits(await resumed.snapshot()), bits(await whole.snapshot()), `${rule}, ${name}`)
      for (const network of [whole, interrupted, resumed]) network.dispose()
    }
  }
})

t.test('any number of threads gives the same bits', { skip: noAddon }, async (t) => {
  for (const [rule, rewire] of Object.entries(rules)) {
    const trained = async (threads: number) => {
      const network = make(rule)
      await network.fit(data, { epochs: 2, batchSize: 50, rewire, threads })
      return bits(await network.snapshot())
    }
    const one = await trained(1)
    t.strictSame(await trained(2), one, rule)
    t.strictSame(await trained(3), one, rule)
  }
})

t.test('every rule learns, and the number of connections is exact', { skip: noAddon }, async (t) => {
  const test = clouds(300, 20, 3, 2)
  for (const [rule, rewire] of Object.entries(rules)) {
    const network = make(rule)
    const count = () => network.summary().reduce((sum, layer) => sum + layer.connections, 0)
    const before = count()
    const result = await network.fit(data, { epochs: 6, batchSize: 25, rewire, validation: test })
    t.equal(count(), before, rule)
    t.ok(rule === 'snip' || result.rewirings.length > 5, `${rule}: ${result.rewirings.length} rewirings`)
    t.ok(result.validation!.accuracy! > 0.9, `${rule}: ${result.validation?.accuracy}`)
  }
})

t.test('blocks of any shape', { skip: noAddon }, async (t) => {
  for (const [rule, rewire] of Object.entries(rules)) {
    const block = [3, 2] as const
    const network = new Network({
      inputs: 20,
      layers: [sparse(31, { block }), sparse(26, { block }), dense(3)],
      sparsity: 0.7,
      topology: topologyFor(rule),
      device: 'cpu',
    })
    const blocks = async () =>
      (await network.snapshot()).tensors
        .filter(({ name }) => name.endsWith('col_indices'))
        .reduce((sum, { data }) => sum + data.length, 0)
    const before = await blocks()
    const result = await network.fit(data, { epochs: 4, batchSize: 50, rewire })
    t.equal(await blocks(), before, rule)
    t.ok(rule === 'snip' || result.rewirings.length > 2, rule)
  }
})

t.test('a diverging run says so', { skip: noAddon }, async (t) => {
  for (const [rule, rewire] of Object.entries(rules)) {
    const network = make(rule)
    const optimizer = sgd({ learningRate: 1e30 })
    await t.rejects(
      network.fit(data, { epochs: 2, batchSize: 25, rewire, optimizer }),
      { code: 'ERR_ESPALIER_DIVERGED' },
      rule,
    )
  }
})

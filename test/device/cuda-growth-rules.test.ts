/** MEST, SNFS, SNIP and CHT give the same connections whichever device made the gradients. */
import t from 'tap'
import { cht, chts, type Dataset, mest, type RewireRule, sgd, snfs, snip } from '../../lib/index.js'
import { random } from '../model/support.js'
import { data, noCuda, pair, topologyOf, weightDistance } from './support.js'

/** So small that no weight of a usual size changes by it. */
const optimizer = sgd({ learningRate: 1e-30 })
const epochs = 6

const rules: Record<string, RewireRule> = {
  MEST: mest({ every: 5, lambda: 1 }),
  'MEST with a soft bound': mest({ every: 5, softBound: true }),
  SNFS: snfs({ every: 5, sampleEvery: 2, redistribute: false }),
  SNIP: snip(),
  CHT: cht({ every: 5 }),
  CHTs: chts({ every: 5 }),
}

/** Small whole numbers: sums of few of them are exact in any order. */
const draw = random(3)
const wholeNumbers: Dataset = {
  ...data,
  values: Float32Array.from(data.values, () => Math.floor(draw() * 3) - 1),
}

for (const [name, rewire] of Object.entries(rules)) {
  t.test(name, { skip: noCuda }, async (t) => {
    const networks = pair()
    const options = { epochs, batchSize: 16, optimizer, rewire, validation: wholeNumbers }
    const expected = await networks.cpu.fit(wholeNumbers, { ...options, threads: 1 })
    const result = await networks.cuda.fit(wholeNumbers, options)
    t.ok(name === 'SNIP' || expected.rewirings.length > 1)
    t.strictSame(result.rewirings, expected.rewirings)
    const [a, b] = [await networks.cpu.snapshot(), await networks.cuda.snapshot()]
    t.strictSame(topologyOf(b), topologyOf(a), 'the same connections')
    const apart = weightDistance(a, b)
    t.ok(apart < 1e-5, `weights and optimizer state are ${apart} apart`)
    t.strictSame(networks.cuda.summary(), networks.cpu.summary())
  })
}

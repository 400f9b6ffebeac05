import t, { type Test } from 'tap'
import { mest, sparse } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { roundedWeights } from './rounded.js'
import { crafted, oneSample, still, type Weights } from './support.js'

const options = { batchSize: 1, optimizer: still, threads: 1 }
const rule = { every: 1, until: 1, fraction: 0.25, fractionSchedule: 'constant' } as const

// Outputs are 5 and -6, targets 0, so the gradient is 5 and -6 times the input.
const before: Weights = [
  [3, null, 0.5],
  [null, 1, -2],
]
const data = oneSample([1, 2, 4], [0, 0])
const make = (test: Test, seed = 1) =>
  crafted(
    test,
    {
      inputs: 3,
      layers: [sparse(2, { activation: 'linear', bias: false })],
      sparsity: 0.4,
      loss: 'squaredError',
      seed,
    },
    { 0: before },
  )

/** Where a connection is that was not there before, row x columns + column. */
const newPlaces = (weights: Weights) =>
  weights.flat().flatMap((weight, i) => (weight !== null && before.flat()[i] === null ? [i] : []))

t.test('the least |w| + lambda |g| goes, and chance decides what grows', { skip: noAddon }, async (t) => {
  // Without gradients the 0.5 is least. With a tenth of them: 3.5, 2.5, 2.2 and 4.4, so the 1 goes.
  for (const [lambda, gone] of [
    [0, 2],
    [0.1, 4],
  ] as const) {
    const grown = new Set<number>()
    for (let seed = 0; seed < 12; seed++) {
      const network = await make(t, seed)
      const result = await network.fit(data, { ...options, epochs: 2, rewire: mest({ ...rule, lambda }) })
      const after = roundedWeights(await network.snapshot(), 0).flat()
      t.match(result.rewirings, [{ step: 1, layers: [{ moved: 1, connections: 4 }] }])
      // It may come back, and then starts at zero as every new one.
      const kept = before.flat().map((weight, i) => (i === gone ? null : weight))
      const fresh = after.flatMap((weight, i) => (weight !== null && kept[i] === null ? [i] : []))
      t.equal(fresh.length, 1)
      t.equal(after[fresh[0]!], 0)
      t.strictSame(
        after.map((weight, i) => (i === fresh[0] ? null : weight)),
        kept,
      )
      grown.add(fresh[0]!)
    }
    t.strictSame([...grown].sort(), [1, 3, gone].sort(), 'everywhere free')
  }
})

t.test(
  'with a soft bound new connections stand beside the old ones for a while',
  { skip: noAddon },
  async (t) => {
    const network = await make(t)
    const rewire = mest({ ...rule, lambda: 1, softBound: true })
    const run = network.fit(data, { ...options, epochs: 3, rewire })
    const result = await run
    t.match(result.rewirings, [
      { step: 1, layers: [{ moved: 1, returned: 0, connections: 5 }] },
      // The last one takes away the least of 8, 20.5, 13, 26 and the new one's gradient alone, 10 or 6.
      { step: 2, layers: [{ moved: 0, returned: 0, connections: 4 }] },
    ])
    const after = roundedWeights(await network.snapshot(), 0)
    const survived = newPlaces(after)
    if (survived.length === 1) {
      t.strictSame(survived, [1], 'a gradient of 10 is more than the 3 with its 5')
      t.equal(after[0]![0], null)
    } else {
      t.strictSame(after, before)
    }
  },
)

t.test('a soft bound without a second rewiring changes nothing', { skip: noAddon }, async (t) => {
  const network = await make(t)
  const rewire = mest({ ...rule, softBound: true })
  await network.fit(data, { ...options, epochs: 2, rewire })
  t.strictSame(roundedWeights(await network.snapshot(), 0), before)
})

t.test('options', async (t) => {
  t.strictSame(mest(), {
    type: 'mest',
    every: 'epoch',
    fraction: 0.2,
    until: 0.75,
    fractionSchedule: 'cosine',
    lambda: 0.01,
    softBound: false,
    trackExploration: false,
  })
  t.ok(Object.isFrozen(mest()))
  t.throws(() => mest({ lambda: -1 }), {
    code: 'ERR_ESPALIER_OPTION',
    message: 'mest: option "lambda" is -1; allowed: 0 <= lambda <= 1e+30',
  })
})

import t, { type Test } from 'tap'
import { cht, chts, sparse } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { roundedWeights } from './rounded.js'
import { crafted, oneSample, still, type Weights } from './support.js'

const rule = { every: 1, fraction: 0.15 } as const
const options = { epochs: 2, batchSize: 1, optimizer: still, threads: 1 }
const data = oneSample([1, 1, 1, 1], [0, 0, 0])
const make = (test: Test, weights: Weights, seed = 1) =>
  crafted(
    test,
    {
      inputs: 4,
      layers: [sparse(3, { activation: 'linear', bias: false })],
      sparsity: 0.4,
      loss: 'squaredError',
      seed,
    },
    { 0: weights },
  )

// Without the 0.1 the graph is that of the scores worked out by hand: 1 at (0, 2) and (2, 1), less elsewhere.
const before: Weights = [
  [1, 2, null, 3],
  [null, 4, 5, null],
  [null, null, 6, 0.1],
]

t.test('the smallest goes and the likeliest link grows', { skip: noAddon }, async (t) => {
  const network = await make(t, before)
  const result = await network.fit(data, { ...options, rewire: cht(rule) })
  t.strictSame(roundedWeights(await network.snapshot(), 0), [
    [1, 2, 0, 3],
    [null, 4, 5, null],
    [null, null, 6, null],
  ])
  t.match(result.rewirings, [{ step: 1, layers: [{ moved: 1, returned: 0, connections: 7 }] }])
})

t.test(
  'a link that comes back keeps its weight, and ends the moves of its layer',
  { skip: noAddon },
  async (t) => {
    const returning: Weights = [
      [1, 2, 0.1, 3],
      [null, 4, 5, null],
      [null, null, 6, null],
    ]
    const network = await make(t, returning)
    const rewire = cht({ ...rule, stopAt: 0.9 })
    const result = await network.fit(data, { ...options, epochs: 4, rewire })
    t.strictSame(roundedWeights(await network.snapshot(), 0), returning)
    t.match(result.rewirings, [
      { step: 1, layers: [{ moved: 1, returned: 1 }] },
      { step: 2, layers: [{ moved: 0, returned: 0 }] },
      { step: 3, layers: [{ moved: 0, returned: 0 }] },
    ])
    const settled = (await network.snapshot()).tensors.find(
      ({ name }) => name === 'layers.0.rewire.cht.settled',
    )!
    t.strictSame([...settled.data], [1])
  },
)

t.test('CHTs draws among what has a score', { skip: noAddon }, async (t) => {
  const grown = new Set<number>()
  for (let seed = 0; seed < 24; seed++) {
    const network = await make(t, before, seed)
    await network.fit(data, { ...options, rewire: chts(rule) })
    grown.add(
      roundedWeights(await network.snapshot(), 0)
        .flat()
        .indexOf(0),
    )
  }
  t.strictSame(
    [...grown].sort((a, b) => a - b),
    [2, 4, 7, 9],
  )
})

t.test('options', async (t) => {
  t.match(cht(), { type: 'cht', every: 'epoch', fraction: 0.3, until: 1, temperature: null, stopAt: null })
  t.match(chts(), { type: 'cht', temperature: 1 })
  t.match(chts({ temperature: undefined } as object), { temperature: 1 })
  t.match(chts({ temperature: null }), { temperature: null })
  t.match(chts({ temperature: 0.5, stopAt: 0.9 }), { temperature: 0.5, stopAt: 0.9 })
  t.throws(() => cht({ temperature: 0 }), {
    code: 'ERR_ESPALIER_OPTION',
    message: 'cht: option "temperature" is 0; allowed: 0.2 <= temperature <= 10',
  })
})

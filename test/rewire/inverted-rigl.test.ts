import t from 'tap'
import { invertedRigl, rigl, sparse } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { crafted, oneSample, settled, still, weightsOf } from './support.js'

const schedule = { every: 1, until: 1, fractionSchedule: 'constant' } as const
const options = { epochs: 2, batchSize: 1, optimizer: still, threads: 1 }

t.test('it grows where the gradient is smallest, RigL where it is largest', { skip: noAddon }, async (t) => {
  // Outputs are 3 and 10, targets 0, so the gradient is 3 or 10 times the input.
  const make = () =>
    crafted(
      t,
      { inputs: 3, layers: [sparse(2, { activation: 'linear', bias: false })], loss: 'squaredError' },
      {
        0: [
          [3, null, null],
          [null, 1, 2],
        ],
      },
    )
  const data = oneSample([1, 2, 4], [0, 0])
  const inverted = await make()
  const result = await inverted.fit(data, {
    ...options,
    rewire: invertedRigl({ ...schedule, fraction: 0.34 }),
  })
  t.strictSame(settled(weightsOf(await inverted.snapshot(), 0)), [
    [3, 0, null],
    [null, null, 2],
  ])
  const layer = { layer: 0, moved: 1, returned: 0, connections: 3, removedNeurons: 0, exploration: null }
  t.match(result.rewirings, [{ epoch: 1, step: 1, fraction: 0.34, layers: [layer] }])
  t.equal(result.rewirings.length, 1)

  const straight = await make()
  await straight.fit(data, { ...options, rewire: rigl({ ...schedule, fraction: 0.34 }) })
  t.strictSame(settled(weightsOf(await straight.snapshot(), 0)), [
    [3, null, null],
    [null, 1, 2],
  ])
})

t.test('equal gradients are spread over the layer', { skip: noAddon }, async (t) => {
  const wide = 64
  const make = (seed: number) =>
    crafted(
      t,
      { inputs: wide, layers: [sparse(8, { bias: false })], loss: 'squaredError', seed },
      { 0: Array.from({ length: 8 }, () => Array.from({ length: wide }, (_, i) => (i < 4 ? 1 : null))) },
    )
  // Only the first input is not 0.
  const data = oneSample([1, ...new Array<number>(wide - 1).fill(0)], new Array<number>(8).fill(9))
  const grown = async (seed: number) => {
    const network = await make(seed)
    await network.fit(data, { ...options, rewire: invertedRigl({ ...schedule, fraction: 0.5 }) })
    const weights = settled(weightsOf(await network.snapshot(), 0))
    return weights.map((row) => row.flatMap((weight, column) => (weight === 0 ? [column] : [])))
  }
  const first = await grown(1)
  t.ok(first.flat().length > 12, '16 moved, and few of them back to where they were')
  t.ok(first.filter((row) => row.length > 0).length > 4, 'over the rows')
  t.notSame(await grown(2), first, 'by the seed')
  t.same(await grown(1), first)
})

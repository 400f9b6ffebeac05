import * as fc from 'fast-check'
import t from 'tap'
import { floats, kernels, random } from '../support.js'

const numbers = (lists: BigInt64Array[]) => lists.map((list) => Array.from(list, Number))

const layer = (rows: number, columns: number, weights: number[], gradient: number[], blocks: number) => ({
  rows,
  columns,
  block: [1, 1] as const,
  weights: Float32Array.from(weights),
  gradient: Float32Array.from(gradient),
  blocks,
})

//  |g w|: 2 6 1 | 3 0 4   and   5 1 | 9 4
const lower = () => layer(2, 3, [1, -2, 0.5, 3, 0, 1], [2, 3, 2, -1, 50, -4], 2)
const upper = () => layer(2, 2, [5, 1, -3, 4], [1, 1, 3, 1], 2)

t.test('a budget for each layer', async (t) => {
  t.same(numbers(kernels.mostSensitive([lower(), upper()], 'layer')), [
    [1, 5],
    [0, 2],
  ])
})

t.test('one budget for the network', async (t) => {
  // 9, 6 and 5 win, and of the two 4 the earlier layer's.
  t.same(numbers(kernels.mostSensitive([lower(), upper()], 'network')), [
    [1, 5],
    [0, 2],
  ])
  const more = lower()
  more.blocks = 3
  t.same(numbers(kernels.mostSensitive([more, upper()], 'network')), [
    [1, 5],
    [0, 2, 3],
  ])
})

t.test('a block counts by the sum of squares', async (t) => {
  const blocks = {
    ...layer(2, 3, [1, 1, 1, 1, 1, 2], [1, 1, 2, 1, 1, 1], 1),
    block: [2, 2] as const,
  }
  // Four of 1 against 4 + 4 at the edge.
  t.same(numbers(kernels.mostSensitive([blocks], 'layer')), [[1]])
})

t.test('a layer that the network budget would leave empty', async (t) => {
  const weak = layer(1, 2, [1e-3, 1e-3], [1e-3, 1e-3], 1)
  t.throws(() => kernels.mostSensitive([lower(), weak], 'network'), {
    message: "snip: budget 'network' leaves layer 1 no connection; budget 'layer' keeps each layer's share",
  })
})

t.test('blocks of several shapes cannot share a budget', async (t) => {
  t.throws(() => kernels.mostSensitive([lower(), { ...upper(), block: [2, 1] as const }], 'network'), {
    message: "snip: with budget 'network' the blocks of all sparse layers must be of one shape",
  })
})

t.test('a gradient that is not a number', async (t) => {
  const broken = lower()
  broken.gradient.fill(Number.NaN)
  t.throws(() => kernels.mostSensitive([broken], 'layer'), {
    message: 'snip: the gradient of the dense network is not a number',
  })
})

t.test('what is kept is the most sensitive, whatever the sizes', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      fc.nat(),
      fc.nat(),
      (rows, columns, some, seed) => {
        const draw = random(seed)
        const [weights, gradient] = [floats(rows * columns, draw), floats(rows * columns, draw)]
        const blocks = 1 + (some % (rows * columns))
        const size = (i: number) => Math.abs(Math.fround(weights[i]! * gradient[i]!))
        const expected = Array.from({ length: rows * columns }, (_, i) => i)
          .sort((a, b) => size(b) - size(a) || a - b)
          .slice(0, blocks)
          .sort((a, b) => a - b)
        const kept = numbers(
          kernels.mostSensitive([{ rows, columns, block: [1, 1], weights, gradient, blocks }], 'network'),
        )
        return JSON.stringify(kept) === JSON.stringify([expected])
      },
    ),
  )
})

import fc from 'fast-check'
import t from 'tap'
import { fanDistance, topologyDistance } from '../../lib/analysis/distance.js'
import { pattern, patternsOfOneLayer, weightsOf } from './patterns.js'

const runs = { numRuns: 2000 }

t.test('connections that are gone, by hand', async (t) => {
  const a = pattern([1, 1], 4, 3, [[0, 2], [1], [3]])
  const b = pattern([1, 1], 4, 3, [[0, 3], [], [3]])
  t.strictSame(topologyDistance(a, b), { shared: 2, moved: 1 / 2, jaccard: 1 - 2 / 5 })
  t.strictSame(topologyDistance(b, a), { shared: 2, moved: 1 - 2 / 3, jaccard: 1 - 2 / 5 })
})

t.test('blocks at the edge weigh what they have within the layer', async (t) => {
  // 3 outputs and 5 inputs in blocks of 2 x 2: the last block has one weight.
  const a = pattern([2, 2], 5, 3, [[0], [2]])
  const b = pattern([2, 2], 5, 3, [[0], [1]])
  t.strictSame(topologyDistance(a, b), { shared: 4, moved: 1 - 4 / 5, jaccard: 1 - 4 / 7 })
})

t.test('nothing and everything', async (t) => {
  const none = pattern([1, 1], 2, 2, [[], []])
  const all = pattern([1, 1], 2, 2, [
    [0, 1],
    [0, 1],
  ])
  t.strictSame(topologyDistance(none, none), { shared: 0, moved: 0, jaccard: 0 })
  t.strictSame(topologyDistance(none, all), { shared: 0, moved: 0, jaccard: 1 })
  t.strictSame(topologyDistance(all, none), { shared: 0, moved: 1, jaccard: 1 })
})

t.test('patterns of different layers are refused', async (t) => {
  const a = pattern([1, 1], 2, 2, [[], []])
  t.throws(() => topologyDistance(a, pattern([2, 1], 2, 2, [[]])), {
    code: 'ERR_ESPALIER_OPTION',
    message:
      'topologyDistance: the second pattern has 2 inputs, 2 outputs, block 2x1; allowed: as the first, 2 inputs, 2 outputs, block 1x1',
  })
})

t.test('any two patterns agree with sets of their weights', async () => {
  fc.assert(
    fc.property(patternsOfOneLayer(2), ([a, b]) => {
      const [inA, inB] = [weightsOf(a!), weightsOf(b!)]
      const shared = [...inA].filter((weight) => inB.has(weight)).length
      const either = new Set([...inA, ...inB]).size
      const there = topologyDistance(a!, b!)
      const back = topologyDistance(b!, a!)
      return (
        there.shared === shared &&
        there.moved === (inA.size === 0 ? 0 : 1 - shared / inA.size) &&
        there.jaccard === (either === 0 ? 0 : 1 - shared / either) &&
        there.jaccard === back.jaccard &&
        (inA.size !== inB.size || there.moved === back.moved) &&
        topologyDistance(a!, a!).jaccard === 0 &&
        topologyDistance(a!, a!).moved === 0
      )
    }),
    runs,
  )
})

t.test('distributions of fan-in, by hand', async (t) => {
  // Over their means: 1/2 and 3/2 against 1 and 1.
  t.equal(fanDistance([1, 3], [2, 2]), 0.5)
  t.equal(fanDistance([0, 4], [9, 9]), 1)
  // 1/2, 1, 3/2 against one neuron of 1: a third of the neurons is off by 1/2 on either side.
  t.ok(Math.abs(fanDistance([1, 2, 3], [2]) - 1 / 3) < 1e-15)
  t.equal(fanDistance([0, 0], [1, 1]), 1, 'no connections count as zeros')
  t.throws(() => fanDistance([1], []), { message: 'fanDistance: the second list is empty' })
})

t.test('any distributions: a distance, whatever order, scale and number of neurons', async () => {
  const counts = fc.array(fc.nat(50), { minLength: 1, maxLength: 30 })
  const alike = (a: number, b: number) => Math.abs(a - b) < 1e-9
  fc.assert(
    fc.property(counts, counts, counts, fc.integer({ min: 1, max: 4 }), (a, b, c, times) => {
      const distance = fanDistance(a, b)
      const repeated = a.flatMap((count) => new Array<number>(times).fill(count * times)).reverse()
      return (
        distance >= 0 &&
        distance <= 2 &&
        fanDistance(a, a) === 0 &&
        alike(distance, fanDistance(b, a)) &&
        alike(distance, fanDistance(repeated, b)) &&
        distance <= fanDistance(a, c) + fanDistance(c, b) + 1e-9
      )
    }),
    runs,
  )
})

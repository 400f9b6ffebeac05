import fc from 'fast-check'
import t from 'tap'
import { gradientConcentration } from '../../lib/analysis/concentration.js'
import type { FanPattern } from '../../lib/analysis/fan.js'
import { pattern, patternsOfOneLayer, weightsOf } from './patterns.js'

const measure = (of: FanPattern, magnitudes: number[]) => {
  const magnitude = Float32Array.from(magnitudes)
  return gradientConcentration({ pattern: of, weights: { mean: magnitude, magnitude } })
}

t.test('one hub of ten neurons', async (t) => {
  const rows = Array.from({ length: 10 }, (_, neuron) => (neuron === 3 ? [0, 1, 2, 3] : [neuron % 4]))
  const magnitudes = rows.flatMap((row) => row.map(() => (row.length === 4 ? 2 : 1)))
  t.equal(measure(pattern([1, 1], 4, 10, rows), magnitudes), 2 / (17 / 13))
})

t.test('of equal fan-in the smaller index is the hub; a tenth is rounded up', async (t) => {
  const ten = Array.from({ length: 10 }, () => [0])
  t.equal(measure(pattern([1, 1], 1, 10, ten), [5, 1, 1, 1, 1, 1, 1, 1, 1, 1]), 5 / 1.4)
  t.equal(measure(pattern([1, 1], 1, 11, [...ten, [0]]), [5, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1]), 3.5 / (16 / 11))
})

t.test('blocks: the order of the pattern, without padding', async (t) => {
  // 3 outputs, 3 inputs in blocks of 2 x 2; output 0 has fan-in 3, output 2 only input 2.
  const of = pattern([2, 2], 3, 3, [[0, 1], [1]])
  // Blocks (0, 0), (0, 1), (1, 1), each row by row; padding is 0.
  const magnitudes = [1, 2, 3, 4, 5, 0, 6, 0, 7, 0, 0, 0]
  t.equal(measure(of, magnitudes), (1 + 2 + 5) / 3 / (28 / 7))
})

t.test('nothing to say: dense layers, no connections, no gradients', async (t) => {
  const weights = { mean: new Float32Array(4), magnitude: new Float32Array(4).fill(1) }
  t.equal(gradientConcentration({ pattern: null, weights }), null)
  t.equal(measure(pattern([1, 1], 2, 2, [[], []]), []), null)
  t.equal(measure(pattern([1, 1], 2, 2, [[0], [1]]), [0, 0]), null)
})

t.test('equal gradients are never concentrated, and scale does not matter', async () => {
  fc.assert(
    fc.property(patternsOfOneLayer(1), fc.nat(1000), ([of], seed) => {
      const { block, columnIndices, outputs, inputs } = of!
      const inside = weightsOf(of!)
      const magnitudes: number[] = []
      const rows = Array.from(of!.rowOffsets, Number)
      columnIndices.forEach((column, entry) => {
        const row = rows.findLastIndex((offset) => offset <= entry)
        for (let i = 0; i < block[0]; i++) {
          for (let j = 0; j < block[1]; j++) {
            const [output, input] = [row * block[0] + i, column * block[1] + j]
            const there = output < outputs && input < inputs && inside.has(output * inputs + input)
            magnitudes.push(there ? 1 : 0)
          }
        }
      })
      const equal = measure(of!, magnitudes)
      if (inside.size === 0) return equal === null
      const uneven = magnitudes.map((value, i) => value * (1 + ((i * 7 + seed) % 5)))
      const [one, scaled] = [
        measure(of!, uneven)!,
        measure(
          of!,
          uneven.map((value) => 4 * value),
        )!,
      ]
      return Math.abs(equal! - 1) < 1e-9 && Math.abs(one - scaled) < 1e-9 && one > 0 && one <= 5
    }),
    { numRuns: 1000 },
  )
})

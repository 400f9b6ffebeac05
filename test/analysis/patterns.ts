import fc from 'fast-check'
import type { FanPattern } from '../../lib/analysis/fan.js'

/** A pattern from the block columns of each block row. */
export const pattern = (
  block: [number, number],
  inputs: number,
  outputs: number,
  rows: number[][],
): FanPattern & { block: [number, number] } => ({
  block,
  inputs,
  outputs,
  rowOffsets: BigInt64Array.from([0, ...rows.map((_, i) => rows.slice(0, i + 1).flat().length)].map(BigInt)),
  columnIndices: Int32Array.from(rows.flat()),
})

/** So many patterns of one layer, of any size, block and density. */
export const patternsOfOneLayer = (count: number): fc.Arbitrary<FanPattern[]> =>
  fc
    .record({
      block: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      inputs: fc.integer({ min: 1, max: 12 }),
      outputs: fc.integer({ min: 1, max: 12 }),
    })
    .chain(({ block, inputs, outputs }) => {
      const columns = Math.ceil(inputs / block[1])
      const row = fc.subarray(Array.from({ length: columns }, (_, column) => column))
      const blockRows = Math.ceil(outputs / block[0])
      const rows = fc.array(row, { minLength: blockRows, maxLength: blockRows })
      const one = rows.map((chosen) => pattern(block, inputs, outputs, chosen))
      return fc.array(one, { minLength: count, maxLength: count })
    })

/** Every weight of a pattern that lies within the layer, as output x inputs + input. */
export function weightsOf({ block, inputs, outputs, rowOffsets, columnIndices }: FanPattern): Set<number> {
  const weights = new Set<number>()
  for (let row = 0; row + 1 < rowOffsets.length; row++) {
    for (const column of columnIndices.subarray(Number(rowOffsets[row]), Number(rowOffsets[row + 1]))) {
      for (let i = 0; i < block[0]; i++) {
        for (let j = 0; j < block[1]; j++) {
          const [output, input] = [row * block[0] + i, column * block[1] + j]
          if (output < outputs && input < inputs) weights.add(output * inputs + input)
        }
      }
    }
  }
  return weights
}

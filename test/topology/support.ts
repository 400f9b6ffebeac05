import type { LayerPattern } from '../../lib/index.js'

/** Block columns of each block row. */
export function rowsOf({ rowOffsets, columnIndices }: LayerPattern): number[][] {
  return Array.from(rowOffsets.subarray(1), (end, row) => [
    ...columnIndices.subarray(Number(rowOffsets[row]!), Number(end)),
  ])
}

/** Whether every row is ascending, without repetition and within the layer. */
export function isPattern(pattern: LayerPattern): boolean {
  const width = Math.ceil(pattern.inputs / pattern.block[1])
  return rowsOf(pattern).every((row) =>
    row.every((column, i) => column >= 0 && column < width && (i === 0 || row[i - 1]! < column)),
  )
}

export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0)

/** Deviation of the population / mean. */
export function variation(numbers: Iterable<number>): number {
  const list = [...numbers]
  const mean = sum(list) / list.length
  return Math.sqrt(sum(list.map((one) => (one - mean) ** 2)) / list.length) / mean
}

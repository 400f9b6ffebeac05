/** How connections are spread over the neurons of a layer. */

/** A block CSR pattern, as `Network.pattern` gives it. */
export interface FanPattern {
  /** Offsets of the block rows, ceil(outputs / r) + 1 of them. */
  readonly rowOffsets: BigInt64Array
  /** Block columns, ascending in a row. */
  readonly columnIndices: Int32Array
  /** `[r, c]`: r consecutive outputs x c consecutive inputs. */
  readonly block: readonly [number, number]
  readonly inputs: number
  readonly outputs: number
}

/**
 * Connections into each output (fan-in) and out of each input (fan-out), counted in weights: a block at the edge
 * counts only the neurons that exist.
 */
export function fanCounts(pattern: FanPattern): { fanIn: number[]; fanOut: number[] } {
  const { inputs, outputs, rowOffsets, columnIndices } = pattern
  const [blockRows, blockColumns] = pattern.block
  const fanIn = new Array<number>(outputs).fill(0)
  const fanOut = new Array<number>(inputs).fill(0)
  for (let row = 0; row + 1 < rowOffsets.length; row++) {
    const firstOutput = row * blockRows
    const rows = Math.min(blockRows, outputs - firstOutput)
    let connections = 0
    for (let entry = Number(rowOffsets[row]!); entry < Number(rowOffsets[row + 1]!); entry++) {
      const firstInput = columnIndices[entry]! * blockColumns
      const columns = Math.min(blockColumns, inputs - firstInput)
      for (let input = firstInput; input < firstInput + columns; input++) fanOut[input]! += rows
      connections += columns
    }
    fanIn.fill(connections, firstOutput, firstOutput + rows)
  }
  return { fanIn, fanOut }
}

/** How a set of counts is spread. */
export interface Spread {
  min: number
  median: number
  max: number
  mean: number
  /** Coefficient of variation: standard deviation of the population / mean; 0 where the mean is 0. */
  cv: number
  /** How many have no connection at all. */
  none: number
}

/** Summary of a list of connection counts; all zeros for an empty list. */
export function spread(counts: readonly number[]): Spread {
  const n = counts.length
  if (n === 0) return { min: 0, median: 0, max: 0, mean: 0, cv: 0, none: 0 }
  const sorted = [...counts].sort((a, b) => a - b)
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n
  const middle = n >> 1
  return {
    min: sorted[0]!,
    median: n % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2,
    max: sorted[n - 1]!,
    mean,
    cv: mean === 0 ? 0 : Math.sqrt(variance) / mean,
    none: sorted.filter((value) => value === 0).length,
  }
}

/** A bar of a histogram: `count` values v with from <= v < to. */
export interface Bin {
  from: number
  to: number
  count: number
}

/** Histogram of whole numbers in at most `most` bins of equal whole width; no bins for an empty list. */
export function histogram(counts: readonly number[], most = 32): Bin[] {
  if (counts.length === 0) return []
  const { min, max } = spread(counts)
  const width = Math.max(1, Math.ceil((max - min + 1) / most))
  const bins = Array.from({ length: Math.floor((max - min) / width) + 1 }, (_, index) => ({
    from: min + index * width,
    to: min + (index + 1) * width,
    count: 0,
  }))
  for (const value of counts) bins[Math.floor((value - min) / width)]!.count++
  return bins
}

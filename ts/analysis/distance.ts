import { EspalierError } from '../errors.js'
import type { FanPattern } from './fan.js'

/** How far apart two patterns of one layer are; all in weights, padding left out. */
export interface TopologyDistance {
  /** Connections that both have. */
  shared: number
  /** Share of the connections of the first that the second lacks, 0..1; 0 where the first has none. */
  moved: number
  /** Jaccard distance, 0..1: 1 - shared / connections that either has; 0 where neither has any. */
  jaccard: number
}

/**
 * Compares which connections exist. `jaccard` is the same both ways, `moved` only where both have equally many.
 *
 * @throws ERR_ESPALIER_OPTION where the two differ in inputs, outputs or block
 */
export function topologyDistance(a: FanPattern, b: FanPattern): TopologyDistance {
  if (!sameGrid(a, b)) {
    const [first, second] = [a, b].map(
      ({ inputs, outputs, block }) => `${inputs} inputs, ${outputs} outputs, block ${block.join('x')}`,
    )
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `topologyDistance: the second pattern has ${second}; allowed: as the first, ${first}`,
    )
  }
  let shared = 0
  for (let row = 0; row + 1 < a.rowOffsets.length; row++) {
    const endA = Number(a.rowOffsets[row + 1])
    const endB = Number(b.rowOffsets[row + 1])
    let entryB = Number(b.rowOffsets[row])
    for (let entryA = Number(a.rowOffsets[row]); entryA < endA; entryA++) {
      const column = a.columnIndices[entryA]!
      while (entryB < endB && b.columnIndices[entryB]! < column) entryB++
      if (entryB < endB && b.columnIndices[entryB] === column) shared += blockSize(a, row, column)
    }
  }
  const [inA, inB] = [countConnections(a), countConnections(b)]
  const either = inA + inB - shared
  return {
    shared,
    moved: inA === 0 ? 0 : 1 - shared / inA,
    jaccard: either === 0 ? 0 : 1 - shared / either,
  }
}

/** Whether connections of two patterns can be compared one by one. */
export function sameGrid(a: FanPattern, b: FanPattern): boolean {
  return (
    a.inputs === b.inputs && a.outputs === b.outputs && a.block[0] === b.block[0] && a.block[1] === b.block[1]
  )
}

/**
 * Distance between two distributions of fan-in (or fan-out), whatever the numbers of neurons and connections: the
 * Wasserstein-1 distance of the counts, each divided by the mean of its list. 0 for equal shapes; 0.1 says that, to turn
 * one into the other, a neuron's fan-in changes by a tenth of the mean, on average. The measure is ours: the papers say
 * that distributions converge, not how far apart they are.
 *
 * @param a connections of each neuron, in any order; a list without connections counts as zeros
 * @throws ERR_ESPALIER_OPTION for an empty list
 */
export function fanDistance(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [relative('first', a), relative('second', b)]
  // Both quantile functions are steps: walk through the shares at which either rises.
  let distance = 0
  let share = 0
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    const [endX, endY] = [(i + 1) / x.length, (j + 1) / y.length]
    const end = Math.min(endX, endY)
    distance += (end - share) * Math.abs(x[i]! - y[j]!)
    share = end
    // Equal shares of lists of different length may differ in their last bit, which weighs nothing.
    if (endX <= end) i++
    if (endY <= end) j++
  }
  return distance
}

/** Ascending, divided by their mean. */
function relative(which: string, counts: readonly number[]): number[] {
  if (counts.length === 0)
    throw new EspalierError('ERR_ESPALIER_OPTION', `fanDistance: the ${which} list is empty`)
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.map((count) => (mean === 0 ? 0 : count / mean)).sort((p, q) => p - q)
}

/** Weights of a block that lie within the layer. */
function blockSize({ inputs, outputs, block }: FanPattern, row: number, column: number): number {
  return Math.min(block[0], outputs - row * block[0]) * Math.min(block[1], inputs - column * block[1])
}

function countConnections(pattern: FanPattern): number {
  let connections = 0
  for (let row = 0; row + 1 < pattern.rowOffsets.length; row++) {
    const end = Number(pattern.rowOffsets[row + 1])
    for (let entry = Number(pattern.rowOffsets[row]); entry < end; entry++)
      connections += blockSize(pattern, row, pattern.columnIndices[entry]!)
  }
  return connections
}

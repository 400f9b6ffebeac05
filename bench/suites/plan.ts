import type { BlockName, TimedSuite } from '../records.js'
import type { Cell, Group } from './suite.js'

// What is timed. Every sparsity, width, batch, block and number of threads with every other would take days; so one of them
// moves at a time, from a shape in the middle.

/** full: about 30 minutes; quick: about two, without epochs; targets: what bench/targets.ts judges, about four. */
export type Scale = 'full' | 'quick' | 'targets'

export const mlp: readonly number[] = [784, 1024, 1024, 10]
export const mlpBatch = 128
export const productBatch = 256
/** Connections into each output where the fan-in is the same at every width: 99 % sparse at 2048. */
export const fixedFanIn = 20.48
export const widths = [2048, 4096, 8192, 16384] as const

export const blocks: readonly BlockName[] = ['1x1', '4x1', '4x4', '8x8', '16x16']
const sparsities = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999]

export const square = (width: number): number[] => [width, width]
/** A network with two hidden layers as wide as its inputs. */
export const wide = (width: number): number[] => [width, width, width, 10]
export const sparsityOfFanIn = (width: number): number => 1 - fixedFanIn / width

/** 1, 2, 4 and so on below `processors`, and all. */
export function threadCounts(processors: number): number[] {
  const counts = []
  for (let count = 1; count < processors; count *= 2) counts.push(count)
  return [...counts, processors]
}

/** What the targets speak of, where the machine has two. */
export const targetThreads = (processors: number): number => Math.min(2, processors)

type Way = Pick<Cell, 'block' | 'precision'>
/** Shares of a wide layer: 99 % at every width, and the fan-in that this is at 2048. */
const widthShares = (width: number): number[] => [...new Set([0.99, sparsityOfFanIn(width)])]

const float32 = (names: readonly BlockName[]): Way[] =>
  names.map((block) => ({ block, precision: 'float32' }))
const rounded: Way = { block: '1x1', precision: 'bfloat16' }
export const roundedBlocks: readonly BlockName[] = ['8x8', '16x16']
const inBfloat16: readonly Way[] = [
  rounded,
  ...roundedBlocks.map((block) => ({ block, precision: 'bfloat16' }) as const),
]

const cross = (ways: readonly Way[], shares: readonly number[]): Cell[] =>
  ways.flatMap((way) => shares.map((sparsity) => ({ ...way, sparsity })))

function group(
  suite: TimedSuite,
  sizes: readonly number[],
  batch: number,
  threads: number,
  cells: readonly Cell[],
): Group {
  return { suite, sizes, batch, threads, cells, dense: true }
}

/**
 * The same cells with each number of threads, one way after the other: what is compared stands close together in time, and dense
 * is measured anew beside each way.
 */
function eachWay(
  suite: TimedSuite,
  sizes: readonly number[],
  batch: number,
  threads: readonly number[],
  ways: readonly Way[],
  shares: readonly number[],
): Group[] {
  return ways.flatMap((way) =>
    threads.map((count) => group(suite, sizes, batch, count, cross([way], shares))),
  )
}

function fullPlan(all: number): Group[] {
  const ends = all === 1 ? [1] : [1, all]
  const between = threadCounts(all).filter((count) => !ends.includes(count))
  const few: readonly BlockName[] = ['1x1', '4x1', '8x8']
  const steps = [...float32(blocks), ...inBfloat16]
  return [
    // Over sparsity.
    ...eachWay('products', square(1024), productBatch, ends, float32(blocks), sparsities),
    ...eachWay('products', square(4096), productBatch, ends, float32(blocks), sparsities),
    ...eachWay('step', mlp, mlpBatch, ends, steps, sparsities),
    // Over threads, beyond one and all.
    ...between.flatMap((count) => [
      group('products', square(1024), productBatch, count, cross(float32(few), [0.9])),
      group('step', mlp, mlpBatch, count, cross(float32(few), [0.9])),
    ]),
    // Over batch; 256 and 128 are above.
    ...[32, 64, 128, 512, 1024, 2048].map((batch) =>
      group('products', square(1024), batch, all, cross(float32(few), [0.9])),
    ),
    ...[32, 64, 256, 512, 1024, 2048].map((batch) =>
      group('step', mlp, batch, all, cross([...float32(few), rounded], [0.9])),
    ),
    // Over width; 1024 and 4096 are above.
    ...[512, 2048, 8192, 16384].map((width) =>
      group('products', square(width), productBatch, all, cross(float32(few), [0.9, 0.99])),
    ),
    group('step', wide(4096), mlpBatch, all, cross(float32(few), [0.9, 0.99])),
    ...widths.map((width) =>
      group('width', wide(width), mlpBatch, all, cross(float32(['1x1', '8x8']), widthShares(width))),
    ),
    group('epoch', mlp, mlpBatch, all, cross([...float32(few), rounded], [0.8, 0.9, 0.95, 0.99])),
    ...[mlp, wide(4096)].map((sizes) => rewirings(sizes, all, ['1x1', '8x8'], [0.9, 0.99])),
    ...ends.flatMap((threads) =>
      [1, 128].map((batch) =>
        group('inference', mlp, batch, threads, cross([...float32(few), rounded], sparsities.slice(3))),
      ),
    ),
  ]
}

function rewirings(
  sizes: readonly number[],
  threads: number,
  names: readonly BlockName[],
  shares: readonly number[],
): Group {
  const cells = cross(float32(names), shares)
  const rules = (['set', 'rigl'] as const).flatMap((rule) => cells.map((cell) => ({ ...cell, rule })))
  return group('rewiring', sizes, mlpBatch, threads, rules)
}

function quickPlan(all: number): Group[] {
  const ends = all === 1 ? [1] : [1, all]
  const few = float32(['1x1', '4x1', '8x8'])
  const shares = [0.5, 0.7, 0.9, 0.95, 0.99]
  return [
    ...eachWay('products', square(1024), productBatch, ends, few, shares),
    ...eachWay('step', mlp, mlpBatch, ends, [...few, rounded], shares.slice(2)),
    ...[2048, 8192].map((width) =>
      group('width', wide(width), mlpBatch, all, cross(float32(['1x1']), widthShares(width))),
    ),
    rewirings(mlp, all, ['1x1'], [0.9]),
    group('inference', mlp, 1, 1, cross(few, [0.9, 0.95, 0.99])),
  ]
}

function targetPlan(processors: number): Group[] {
  const threads = targetThreads(processors)
  const high = [0.9, 0.95, 0.99]
  const shapes = [
    ['products', square(1024), productBatch, blocks],
    ['products', square(4096), productBatch, blocks],
    ['step', mlp, mlpBatch, blocks],
  ] as const
  return [
    ...shapes.flatMap(([suite, sizes, batch, names]) =>
      names.flatMap((block) => {
        const way = float32([block])
        const shares = suite === 'products' && block === '1x1' ? [0.5, 0.6, 0.7, 0.8, ...high] : high
        const both = group(suite, sizes, batch, threads, cross(way, shares))
        // One thread right before two, for their ratio.
        const one = { ...group(suite, sizes, batch, 1, cross(way, [0.9])), dense: false }
        return threads > 1 && (block === '1x1' || block === '8x8') ? [one, both] : [both]
      }),
    ),
    ...eachWay('step', mlp, mlpBatch, [threads], inBfloat16, high),
    group('inference', mlp, 1, 1, cross(float32(['1x1', '4x1', '8x8']), [0.95])),
    ...[2048, 16384].map((width) =>
      group('width', wide(width), mlpBatch, threads, cross(float32(['1x1']), widthShares(width))),
    ),
  ]
}

const plans: Record<Scale, (processors: number) => Group[]> = {
  full: fullPlan,
  quick: quickPlan,
  targets: targetPlan,
}

/** @param processors that the process may use */
export const planOf = (scale: Scale, processors: number): Group[] => plans[scale](processors)

import type { Precision, RewiringRule } from '../addon.js'
import type { Timing } from '../measure.js'
import type { Baseline, BlockName, TimedSuite, TimingRecord } from '../records.js'
import type { Timer } from './timer.js'

/** A sparse way that is timed. */
export interface Cell {
  sparsity: number
  block: BlockName
  precision: Precision
  /** Of rewirings. */
  rule?: RewiringRule
}

/** What is timed together: the dense baselines, then each cell. */
export interface Group {
  suite: TimedSuite
  /** Of the layers, inputs first. */
  sizes: readonly number[]
  batch: number
  threads: number
  cells: readonly Cell[]
  /** False where dense is not wanted beside it. */
  dense: boolean
}

/** The best dense libraries on a group's shape. */
export type Baselines = Pick<TimingRecord, 'dense' | 'masked'>

/** A sparse timing, and what a suite tells besides. */
export type SparseTiming = Timing & Pick<TimingRecord, 'parts' | 'step'>

/** How one kind of work is timed. */
export interface Suite {
  /** Absent where there is nothing dense to compare with. */
  dense?(timer: Timer, group: Group): Promise<Baselines>
  sparse(timer: Timer, group: Group, cell: Cell): Promise<SparseTiming>
}

export function blockOf(name: BlockName): [rows: number, columns: number] {
  const [rows, columns] = name.split('x').map(Number)
  return [rows ?? 1, columns ?? 1]
}

/** One work after the other: medians and spreads add up. */
export function sum<T extends Timing>(timings: readonly T[]): Timing {
  const total = (pick: (timing: Timing) => number) => timings.reduce((a, b) => a + pick(b), 0)
  return {
    milliseconds: total((t) => t.milliseconds),
    spread: total((t) => t.spread),
    samples: Math.min(...timings.map((t) => t.samples)),
  }
}

/** Null where one of them is. */
export function sumBaselines(baselines: readonly (Baseline | null)[]): Baseline | null {
  const known = baselines.filter((baseline) => baseline !== null)
  if (known.length < baselines.length) return null
  return { ...sum(known), library: [...new Set(known.map(({ library }) => library))].join(' + ') }
}

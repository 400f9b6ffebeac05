import type { Ceilings, Part, Precision, RewiringRule } from './addon.js'
import type { Machine } from './machine.js'
import type { Timing } from './measure.js'

// What a run of the benchmark leaves behind as JSON.

export const suiteNames = ['products', 'step', 'epoch', 'width', 'rewiring', 'inference', 'memory'] as const
export type SuiteName = (typeof suiteNames)[number]
export type TimedSuite = Exclude<SuiteName, 'memory'>

/** Outputs x inputs of a block, as in '4x1'. */
export type BlockName = `${number}x${number}`

/** The best of the dense libraries. */
export interface Baseline extends Timing {
  /** Which that was, as in 'OpenBLAS' or 'BLIS, sliced'. */
  library: string
}

export interface TimingRecord extends Timing {
  suite: TimedSuite
  /** Sizes of the layers, inputs first, as in '784-1024-1024-10'. */
  shape: string
  batch: number
  threads: number
  sparsity: number
  block: BlockName
  precision: Precision
  /** The same on every weight, timed beside it; null where that was not measured. */
  dense: Baseline | null
  /** Dense with masked weights; of steps and epochs alone. */
  masked?: Baseline | null
  /** Medians of the three products, which add up to the whole; `backward` is both gradients. */
  parts?: Partial<Record<Part, number>>
  rule?: RewiringRule
  /** Of a rewiring: a training step of the same network, timed beside it. */
  step?: Timing
}

/** Peak of the resident memory that a network adds to a process of its own while it trains. */
export interface MemoryRecord {
  /** 0 for dense. */
  sparsity: number
  block: BlockName
  megabytes: number
  /** With RigL; null where that was not measured. */
  rewiringMegabytes: number | null
}

export interface CeilingRecord extends Ceilings {
  threads: number
}

export interface FailureRecord {
  what: string
  message: string
}

export interface Run {
  machine: Machine
  ceilings: CeilingRecord[]
  timings: TimingRecord[]
  memory: MemoryRecord[]
  failures: FailureRecord[]
  /** Timings, dense ones too, that were taken while the host disturbed them (see Calm). */
  timedDisturbed?: number
}

/** How many times faster than dense; null where dense was not measured. */
export const speedup = ({ dense, milliseconds }: TimingRecord): number | null =>
  dense === null ? null : dense.milliseconds / milliseconds

/** The first record that has all of this. */
export function find(run: Run, what: Partial<TimingRecord>): TimingRecord | null {
  return all(run, what)[0] ?? null
}

/** All records that have all of this. */
export function all(run: Run, what: Partial<TimingRecord>): TimingRecord[] {
  const wanted = Object.entries(what)
  return run.timings.filter((record) =>
    wanted.every(([key, value]) => record[key as keyof TimingRecord] === value),
  )
}

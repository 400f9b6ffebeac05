// How each figure that has a target is worked out of what was measured.

import { type Bound, inferenceBound, productsBound, stepBound, type Way } from './bounds.js'
import { breakEven } from './break-even.js'
import { percent } from './markdown.js'
import { measuredOn, type PeerRecord } from './peers/records.js'
import {
  all,
  type BlockName,
  type CeilingRecord,
  find,
  type Run,
  speedup,
  type TimingRecord,
} from './records.js'
import type { AccuracyRecord, Results } from './results.js'
import { mlp, mlpBatch, productBatch, square, targetThreads, wide } from './suites/plan.js'
import { blockOf } from './suites/suite.js'

/** A run, and what was measured apart from it. */
export type Measurements = Results & { run: Run }

export interface Measured {
  value: number
  /** Which of several it is. */
  which?: string
  /** What the ceilings of the machine say of it, as in 'second-level cache allows' 4.5x. */
  bound?: { value: number; says: string }
}

export interface Target {
  name: string
  asked: number
  unit: 'x' | 'µs' | '%' | 'points'
  /** Less is better. */
  atMost?: true
  /** Null where it was not measured. */
  measure(from: Measurements): Measured | null
}

export const step = mlp.join('-')
export const float32 = (block: BlockName) => ({ block, precision: 'float32' }) as const
const ceilingsOf = (run: Run, threads: number): CeilingRecord | undefined =>
  run.ceilings.find((record) => record.threads === threads)

const allows = (by: Bound['by']) => `${by} ${by === 'multiply-adds' ? 'allow' : 'allows'}`

/** What the machine allows for a record's work. */
/** Null too for what goes through matrix units, which multiply more than the ceilings say. */
function boundOf(run: Run, record: TimingRecord): Bound | null {
  const ceilings = ceilingsOf(run, record.threads)
  const tiles =
    run.machine.instructionSet === 'amx' &&
    record.precision === 'bfloat16' &&
    blockOf(record.block).every((side) => side % 8 === 0)
  if (ceilings === undefined || tiles) return null
  const sizes = record.shape.split('-').map(Number)
  const way: Way = record
  if (record.suite === 'products') {
    const [inputs = 0, outputs = 0] = sizes
    return productsBound({ inputs, outputs, batch: record.batch }, way, ceilings)
  }
  if (record.suite === 'step') return stepBound(sizes, record.batch, way, ceilings)
  return record.suite === 'inference' && record.batch === 1 ? inferenceBound(sizes, way, ceilings) : null
}

function measuredSpeedup(run: Run, record: TimingRecord | null): Measured | null {
  const value = record === null ? null : speedup(record)
  if (record === null || value === null) return null
  const bound = boundOf(run, record)
  if (bound === null) return { value }
  return { value, bound: { value: record.dense!.milliseconds / bound.milliseconds, says: allows(bound.by) } }
}

/** The fastest of some blocks, named. */
function bestOf(run: Run, what: Partial<TimingRecord>, names: readonly BlockName[]): Measured | null {
  let best: Measured | null = null
  for (const block of names) {
    const measured = measuredSpeedup(run, find(run, { ...what, block }))
    if (measured !== null && (best === null || measured.value > best.value))
      best = names.length > 1 ? { ...measured, which: block } : measured
  }
  return best
}

export interface Work {
  name: string
  what: Partial<TimingRecord>
}

export const products = (width: number): Work => ({
  name: `products, ${width} x ${width}, batch ${productBatch}`,
  what: { suite: 'products', shape: square(width).join('-'), batch: productBatch, precision: 'float32' },
})
export const steps = (precision: 'float32' | 'bfloat16'): Work => ({
  name: `step ${step}, batch ${mlpBatch}${precision === 'bfloat16' ? ', bfloat16' : ''}`,
  what: { suite: 'step', shape: step, batch: mlpBatch, precision },
})

/** Speed-ups over dense on all processors, one target a sparsity. */
export const overDense = (
  { name, what }: Work,
  names: readonly BlockName[],
  asked: readonly (readonly [sparsity: number, speedup: number])[],
): Target[] =>
  asked.map(([sparsity, least]) => ({
    name: `${name}, ${names.length > 1 ? 'the best block' : names[0]}, ${percent(sparsity)}`,
    asked: least,
    unit: 'x',
    measure: ({ run }) =>
      bestOf(run, { ...what, threads: targetThreads(run.machine.processors), sparsity }, names),
  }))

export const breakEvenAt = ({ name, what }: Work): Target => ({
  name: `break-even sparsity, ${name}, 1x1`,
  asked: 60,
  unit: '%',
  atMost: true,
  measure({ run }) {
    const records = all(run, { ...what, ...float32('1x1'), threads: targetThreads(run.machine.processors) })
    const points = records.flatMap((record) => {
      const value = speedup(record)
      return value === null ? [] : [{ sparsity: record.sparsity, speedup: value }]
    })
    const result = breakEven(points)
    if (result === null || result === 'higher') return null
    if (result !== 'lower') return { value: 100 * result }
    return { value: 100 * Math.min(...points.map(({ sparsity }) => sparsity)), which: 'or below' }
  },
})

export const twoThreads = ({ name, what }: Work, block: BlockName): Target => ({
  name: `two threads over one, ${name}, ${block}, 90 %`,
  asked: 1.8,
  unit: 'x',
  measure({ run }) {
    const [one, two] = [1, 2].map((threads) =>
      find(run, { ...what, ...float32(block), sparsity: 0.9, threads }),
    )
    if (!one || !two) return null
    const value = one.milliseconds / two.milliseconds
    const [single, both] = [ceilingsOf(run, 1), ceilingsOf(run, 2)]
    if (single === undefined || both === undefined) return { value }
    const by = boundOf(run, two)?.by ?? 'multiply-adds'
    const ceiling = by === 'multiply-adds' ? 'fmaGflops' : 'secondLevelGBs'
    return { value, bound: { value: both[ceiling] / single[ceiling], says: allows(by) } }
  },
})

const inference: Partial<TimingRecord> = {
  suite: 'inference',
  shape: step,
  batch: 1,
  threads: 1,
  sparsity: 0.95,
  ...float32('1x1'),
}

export const inferenceTime = (asked: number): Target => ({
  name: `inference ${step}, batch 1, one thread, 1x1, 95 %`,
  asked,
  unit: 'µs',
  atMost: true,
  measure({ run }) {
    const record = find(run, inference)
    if (record === null) return null
    const bound = boundOf(run, record)
    const value = 1000 * record.milliseconds
    return bound === null
      ? { value }
      : { value, bound: { value: 1000 * bound.milliseconds, says: allows(bound.by) } }
  },
})

/** Of one block shape, or of the best of several. */
export const inferenceSpeedup = (names: readonly BlockName[], asked: number): Target => ({
  name: `inference ${step}, batch 1, one thread, ${names.length > 1 ? 'the best block' : names[0]}, 95 %, against dense`,
  asked,
  unit: 'x',
  measure: ({ run }) => bestOf(run, inference, names),
})

/** Nanoseconds for each connection and sample of a step; the dense last layer has connections too. */
export function nanosecondsPerConnection({ shape, batch, sparsity, milliseconds }: TimingRecord): number {
  const sizes = shape.split('-').map(Number)
  const connections = sizes
    .slice(1)
    .reduce((sum, outputs, i) => sum + outputs * sizes[i]! * (i === sizes.length - 2 ? 1 : 1 - sparsity), 0)
  return (milliseconds * 1e6) / (connections * batch)
}

export const growth = (name: string, sparsityAt: (width: number) => number): Target => ({
  name: `time per connection, step, 16384 wide over 2048 wide, ${name}, 1x1`,
  asked: 1.3,
  unit: 'x',
  atMost: true,
  measure({ run }) {
    const [narrow, broad] = [2048, 16384].map((width) =>
      find(run, {
        suite: 'width',
        shape: wide(width).join('-'),
        sparsity: sparsityAt(width),
        ...float32('1x1'),
      }),
    )
    if (!narrow || !broad) return null
    const value = nanosecondsPerConnection(broad) / nanosecondsPerConnection(narrow)
    const ceilings = ceilingsOf(run, broad.threads)
    if (ceilings?.thirdLevelGBs === undefined) return { value }
    // Where a narrow layer's activations come from the second level, a wide one's come from the third.
    const bound = ceilings.secondLevelGBs / ceilings.thirdLevelGBs
    return { value, bound: { value: bound, says: 'activations from the third-level cache explain' } }
  },
})

export const memory = (names: readonly BlockName[], asked: number): Target => ({
  name: `memory while training, 4096 x 3, ${names.length > 1 ? 'the worst block' : names[0]}, 90 %, dense over it`,
  asked,
  unit: 'x',
  measure({ run }) {
    const dense = run.memory.find(({ sparsity }) => sparsity === 0)
    const sparse = run.memory.filter((record) => record.sparsity === 0.9 && names.includes(record.block))
    if (dense === undefined || sparse.length === 0) return null
    const worst = sparse.reduce((a, b) => (b.megabytes > a.megabytes ? b : a))
    return { value: dense.megabytes / worst.megabytes, which: worst.block }
  },
})

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Percentage points that bfloat16 loses, over the seeds that both were trained with. */
export function lostPoints(records: readonly AccuracyRecord[], block: BlockName): number | null {
  const of = (precision: string) => records.filter((r) => r.block === block && r.precision === precision)
  const rounded = of('bfloat16')
  const pairs = of('float32').flatMap((exact) => {
    const twin = rounded.find((r) => r.seed === exact.seed && r.sparsity === exact.sparsity)
    return twin === undefined ? [] : [100 * (exact.accuracy - twin.accuracy)]
  })
  return pairs.length === 0 ? null : mean(pairs)
}

export const accuracyLost = (asked: number): Target => ({
  name: 'accuracy lost by bfloat16, Fashion-MNIST, 1x1, 90 %',
  asked,
  unit: 'points',
  atMost: true,
  measure({ accuracy }) {
    const value = lostPoints(accuracy, '1x1')
    return value === null ? null : { value }
  },
})

export const againstPeer = (
  name: string,
  peer: string,
  asked: number,
  sparsities: (sparsity: number) => boolean,
): Target => ({
  name: `step ${step}, against ${name}`,
  asked,
  unit: 'x',
  measure({ run, peers }) {
    const records = peers.filter(
      (record) =>
        record.peer === peer &&
        record.task === 'step' &&
        measuredOn(record, run.machine) &&
        record.threads === targetThreads(run.machine.processors) &&
        sparsities(record.sparsity),
    )
    return slowest(records)
  },
})

/** Where the peer comes nearest. */
function slowest(records: readonly PeerRecord[]): Measured | null {
  const ratios = records.flatMap(({ sparsity, milliseconds, espalierMilliseconds }) =>
    milliseconds === null
      ? []
      : [{ value: milliseconds / espalierMilliseconds, which: `at ${percent(sparsity)}` }],
  )
  return ratios.length === 0 ? null : ratios.reduce((a, b) => (b.value < a.value ? b : a))
}

import { breakEvenText } from '../break-even.js'
import { distinct, percent, table, threadText, times } from '../markdown.js'
import { all, type Run, speedup, type TimingRecord } from '../records.js'
import type { AccuracyRecord } from '../results.js'
import { mlp, mlpBatch, productBatch, square } from '../suites/plan.js'
import { accuracyText } from './apart.js'

// Speed-up against sparsity.

/** A shape whose sparsity was varied. */
export interface Series {
  name: string
  what: Pick<TimingRecord, 'suite' | 'shape' | 'batch'>
}

const products = (width: number): Series => ({
  name: `Products, ${width} x ${width}, batch ${productBatch}`,
  what: { suite: 'products', shape: square(width).join('-'), batch: productBatch },
})

export const series: readonly Series[] = [
  products(1024),
  products(4096),
  {
    name: `Step, ${mlp.join('-')}, batch ${mlpBatch}`,
    what: { suite: 'step', shape: mlp.join('-'), batch: mlpBatch },
  },
]

/** '4x1' or '1x1 bfloat16' */
export const wayOf = ({ block, precision }: Pick<TimingRecord, 'block' | 'precision'>): string =>
  precision === 'float32' ? block : `${block} ${precision}`

export const waysOf = (records: readonly TimingRecord[]): string[] => [...new Set(records.map(wayOf))]

/** Ways down; across, whatever `column` tells of a record. */
export function grid(
  corner: string,
  records: readonly TimingRecord[],
  column: (record: TimingRecord) => number,
  heading: (value: number) => string,
  cell: (record: TimingRecord) => string,
): string {
  const columns = distinct(records.map(column))
  const rows = waysOf(records).map((way) => [
    way,
    ...columns.map((value) => {
      const record = records.find((each) => wayOf(each) === way && column(each) === value)
      return record === undefined ? '-' : cell(record)
    }),
  ])
  return table([corner, ...columns.map(heading)], rows)
}

/** The dense times that ways were compared with: the least and the most, as the machine drifted. */
function denseText(records: readonly TimingRecord[]): string {
  const of = (kind: 'dense' | 'masked') => {
    const known = records.flatMap((record) => record[kind] ?? [])
    if (known.length === 0) return null
    const range = distinct([
      Math.min(...known.map((k) => k.milliseconds)),
      Math.max(...known.map((k) => k.milliseconds)),
    ])
    const libraries = [...new Set(known.map(({ library }) => library))].join('; ')
    return `${kind} ${range.map((value) => value.toFixed(2)).join(' to ')} ms (${libraries})`
  }
  return [of('dense') ?? 'nothing dense to compare with', of('masked')]
    .filter((text) => text !== null)
    .join('; ')
}

function tableOf(records: readonly TimingRecord[], accuracy: readonly AccuracyRecord[] | null): string {
  const sparsities = distinct(records.map(({ sparsity }) => sparsity))
  const rows = waysOf(records).map((way) => {
    const own = records.filter((record) => wayOf(record) === way)
    const points = own.flatMap((record) => {
      const value = speedup(record)
      return value === null ? [] : [{ sparsity: record.sparsity, speedup: value }]
    })
    const at = (sparsity: number) => points.find((point) => point.sparsity === sparsity)?.speedup ?? null
    const { block, precision } = own[0]!
    return [
      way,
      ...sparsities.map((sparsity) => times(at(sparsity))),
      breakEvenText(points),
      ...(accuracy === null ? [] : [accuracyText(accuracy, block, precision) ?? '-']),
    ]
  })
  const head = ['block', ...sparsities.map(percent), 'break-even']
  return table(accuracy === null ? head : [...head, 'accuracy at 90 %'], rows)
}

/** One table for each shape and number of threads; steps have the accuracy of each block beside them. */
export function speedSection(run: Run, accuracy: readonly AccuracyRecord[]): string | null {
  const parts = series.flatMap(({ name, what }) => {
    const records = all(run, what)
    const sparsities = distinct(records.map(({ sparsity }) => sparsity))
    return distinct(records.map(({ threads }) => threads)).flatMap((threads) => {
      const own = records.filter((record) => record.threads === threads)
      // A number of threads at which one sparsity was timed belongs to "threads".
      if (sparsities.length > 1 && new Set(own.map(({ sparsity }) => sparsity)).size === 1) return []
      const shown = what.suite === 'step' && accuracy.length > 0 ? accuracy : null
      return [`**${name}, ${threadText(threads)}**; ${denseText(own)}:`, tableOf(own, shown)]
    })
  })
  return parts.length === 0 ? null : parts.join('\n\n')
}

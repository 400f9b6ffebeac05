import { nanosecondsPerConnection } from '../figures.js'
import { distinct, percent, table, times } from '../markdown.js'
import { all, find, type Run, speedup, type TimingRecord } from '../records.js'
import { productBatch, sparsityOfFanIn, square } from '../suites/plan.js'
import { grid, series, wayOf, waysOf } from './speed.js'

// How times change with batch, width and threads.

const speedText = (record: TimingRecord) => times(speedup(record))

/** Speed-up over dense at 90 %, on all processors, at every batch size. */
export function batchSection(run: Run): string | null {
  const threads = run.machine.processors
  const parts = series.flatMap(({ what: { suite, shape } }) => {
    const every = all(run, { suite, shape, threads, sparsity: 0.9 })
    const several = every.filter((record) =>
      every.some((other) => wayOf(other) === wayOf(record) && other.batch !== record.batch),
    )
    if (several.length === 0) return []
    return [`**${suite}, ${shape}, 90 %**`, grid('batch', several, ({ batch }) => batch, String, speedText)]
  })
  return parts.length === 0 ? null : parts.join('\n\n')
}

const widthOf = ({ shape }: TimingRecord) => Number(shape.split('-')[0])

/** Steps of wide networks: the time of each connection at 99 %, and at the same fan-in everywhere. */
export interface WidthPoint {
  width: number
  way: string
  rule: '99 % at every width' | 'the same fan-in at every width'
  nanoseconds: number
}

export function widthPoints(run: Run): WidthPoint[] {
  return all(run, { suite: 'width' }).flatMap((record) => {
    const width = widthOf(record)
    const point = { width, way: wayOf(record), nanoseconds: nanosecondsPerConnection(record) }
    return [
      ...(record.sparsity === 0.99 ? [{ ...point, rule: '99 % at every width' } as const] : []),
      ...(record.sparsity === sparsityOfFanIn(width)
        ? [{ ...point, rule: 'the same fan-in at every width' } as const]
        : []),
    ]
  })
}

export function widthSection(run: Run): string | null {
  const points = widthPoints(run)
  const widths = distinct(points.map(({ width }) => width))
  const lines = new Map(points.map(({ way, rule }) => [`${way}, ${rule}`, { way, rule }]))
  const perConnection = [...lines].map(([name, line]) => [
    name,
    ...widths.map((width) => {
      const point = points.find((p) => p.width === width && p.way === line.way && p.rule === line.rule)
      return point === undefined ? '-' : point.nanoseconds.toFixed(4)
    }),
  ])
  const products = all(run, {
    suite: 'products',
    batch: productBatch,
    threads: run.machine.processors,
  }).filter(
    (record) => [0.9, 0.99].includes(record.sparsity) && record.shape === square(widthOf(record)).join('-'),
  )
  const parts = [
    ...(points.length === 0
      ? []
      : ['**Nanoseconds a connection and sample, step**', table(['step', ...widths], perConnection)]),
    ...[0.9, 0.99].flatMap((sparsity) => {
      const own = products.filter((record) => record.sparsity === sparsity)
      if (new Set(own.map(widthOf)).size < 2) return []
      return [`**Products over dense, ${percent(sparsity)}**`, grid('width', own, widthOf, String, speedText)]
    }),
  ]
  return parts.length === 0 ? null : parts.join('\n\n')
}

/** Times faster than one thread. */
export interface ThreadPoint {
  work: string
  way: string
  threads: number
  ratio: number
}

export function threadPoints(run: Run): ThreadPoint[] {
  return series.flatMap(({ name, what }) => {
    const records = all(run, { ...what, sparsity: 0.9 })
    const points = records.flatMap((record) => {
      const { block, precision } = record
      const one = find(run, { ...what, sparsity: 0.9, block, precision, threads: 1 })
      if (one === null) return []
      return { way: wayOf(record), threads: record.threads, ratio: one.milliseconds / record.milliseconds }
    })
    const dense = records.flatMap((record) => {
      const one = records.find((other) => other.threads === 1 && wayOf(other) === wayOf(record))
      if (!record.dense || !one?.dense || record.block !== '1x1' || record.precision !== 'float32') return []
      return {
        way: 'dense',
        threads: record.threads,
        ratio: one.dense.milliseconds / record.dense.milliseconds,
      }
    })
    return [...points, ...dense].map((point) => ({ ...point, work: name }))
  })
}

export function threadSection(run: Run): string | null {
  const points = threadPoints(run)
  const counts = distinct(points.map(({ threads }) => threads)).filter((threads) => threads > 1)
  if (counts.length === 0) return null
  const rows = series.flatMap(({ name, what }) => {
    const own = points.filter(({ work }) => work === name)
    const ways = [...waysOf(all(run, { ...what, sparsity: 0.9 })), 'dense']
    return ways
      .map((way) => [
        `${name}, ${way}`,
        ...counts.map((threads) =>
          times(own.find((point) => point.way === way && point.threads === threads)?.ratio ?? null),
        ),
      ])
      .filter((row) => row.some((cell, index) => index > 0 && cell !== '-'))
  })
  return table(['over one thread, 90 %', ...counts], rows)
}

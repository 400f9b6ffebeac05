/** Loss, accuracy and movement over the course of training. */
import type { Markup } from './html.js'
import type { RunRecord } from './run-record.js'
import { drawSvg, palette, wholeTicks } from './svg.js'

const width = 470
const height = 240

/** Loss or accuracy of each epoch, training and test; null where the run has no such numbers. */
export async function drawHistory(record: RunRecord, what: 'loss' | 'accuracy'): Promise<Markup | null> {
  const values = record.history
    .flatMap(({ epoch, train, validation }) => [
      { epoch, series: 'training', value: train[what] },
      { epoch, series: 'test', value: validation === null ? null : validation[what] },
    ])
    .filter(({ value }) => value !== null)
  if (values.length === 0) return null
  const series = ['training', 'test'].filter((name) => values.some((value) => value.series === name))
  const first = Math.min(...values.map(({ epoch }) => epoch))
  const last = Math.max(...values.map(({ epoch }) => epoch))
  return drawSvg(
    {
      width,
      height,
      data: { values },
      mark: { type: 'line', strokeWidth: 2, point: { size: last > 40 ? 0 : 30 } },
      encoding: {
        x: {
          field: 'epoch',
          type: 'quantitative',
          axis: { title: 'epoch', values: wholeTicks(first, last, 12), format: 'd', grid: false },
          // A single epoch stands in the middle.
          scale: { domain: first === last ? [first - 1, last + 1] : [first, last], nice: false },
        },
        y: {
          field: 'value',
          type: 'quantitative',
          axis: { title: what, tickCount: 6, ...(what === 'accuracy' ? { format: '.1%' } : {}) },
          scale: { zero: false, nice: true },
        },
        color: {
          field: 'series',
          type: 'nominal',
          scale: { domain: series, range: palette.slice(0, series.length) },
          legend: { title: null, orient: 'top', symbolType: 'stroke', symbolStrokeWidth: 3 },
        },
      },
    },
    `${what} by epoch`,
  )
}

/** More marks than this cannot be told apart at this width. */
const mostRewirings = 160

/**
 * Connections of each layer that moved to a new place (dropped and grown elsewhere) at each rewiring; of long runs the mean of `group` rewirings
 * in a row. Null where nothing was rewired.
 */
export async function drawMoves(record: RunRecord): Promise<{ svg: Markup; group: number } | null> {
  if (record.rewirings.length === 0) return null
  const group = Math.ceil(record.rewirings.length / mostRewirings)
  const sums = new Map<string, { step: number; layer: string; moved: number; rewirings: number }>()
  record.rewirings.forEach(({ step, layers }, index) => {
    for (const { layer, moved, returned } of layers) {
      const key = `${Math.floor(index / group)} ${layer}`
      const sum = sums.get(key) ?? { step, layer: `layer ${layer + 1}`, moved: 0, rewirings: 0 }
      sum.moved += moved - returned
      sum.rewirings++
      sums.set(key, sum)
    }
  })
  const values = [...sums.values()].map(({ step, layer, moved, rewirings }) => ({
    step,
    layer,
    moved: moved / rewirings,
  }))
  const layers = [...new Set(values.map(({ layer }) => layer))]
  const svg = await drawSvg(
    {
      width: 2 * width + 60,
      height: 220,
      data: { values },
      mark: { type: 'line', strokeWidth: 2, point: { size: values.length / layers.length > 60 ? 0 : 30 } },
      encoding: {
        x: {
          field: 'step',
          type: 'quantitative',
          axis: {
            title: 'step',
            format: ',d',
            values: wholeTicks(values[0]!.step, values.at(-1)!.step, 14),
            grid: false,
          },
          scale: { zero: false, nice: false, padding: 8 },
        },
        y: {
          field: 'moved',
          type: 'quantitative',
          axis: {
            title: 'connections moved',
            format: ',d',
            values: wholeTicks(0, Math.max(...values.map(({ moved }) => moved)), 5),
          },
        },
        color: {
          field: 'layer',
          type: 'nominal',
          sort: null,
          scale: { domain: layers, range: [...palette] },
          legend: { title: null, orient: 'top', symbolType: 'stroke', symbolStrokeWidth: 3 },
        },
      },
    },
    'connections moved at each rewiring',
  )
  return { svg, group }
}

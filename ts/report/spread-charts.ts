/** How connections are spread: over the neurons of a layer, over the pixels of an image, over the columns of a table. */
import { histogram } from '../analysis/fan.js'
import { rankInputs } from '../analysis/inputs.js'
import type { Markup } from './html.js'
import { drawSvg, palette, wholeTicks } from './svg.js'

/** Histogram of connection counts, one per neuron. */
export async function drawFan(counts: readonly number[], kind: 'fan-in' | 'fan-out'): Promise<Markup> {
  const bins = histogram(counts)
  const from = bins[0]?.from ?? 0
  const to = bins.at(-1)?.to ?? 1
  const tallest = Math.max(1, ...bins.map(({ count }) => count))
  return drawSvg(
    {
      width: 470,
      height: 150,
      data: { values: bins },
      mark: {
        type: 'bar',
        color: kind === 'fan-in' ? palette[0] : palette[2],
        binSpacing: bins.length > 24 ? 0.5 : 1,
      },
      encoding: {
        x: {
          field: 'from',
          type: 'quantitative',
          bin: { binned: true },
          axis: {
            title: `${kind} (connections)`,
            format: ',d',
            values: wholeTicks(from, to, 9),
            grid: false,
          },
          scale: { domain: [from, to], nice: false },
        },
        x2: { field: 'to' },
        y: {
          field: 'count',
          type: 'quantitative',
          axis: {
            title: kind === 'fan-in' ? 'outputs' : 'inputs',
            format: ',d',
            values: wholeTicks(0, tallest, 4),
          },
        },
      },
    },
    `histogram of ${kind}`,
  )
}

/** A larger picture would weigh megabytes as SVG and show no more. */
const mostCells = 64

/**
 * Heat map of the connections that each pixel keeps. Images beyond 64 pixels a side are drawn as means over squares of `pool` x `pool` pixels.
 *
 * @param counts one count per pixel, row by row
 * @param shape [height, width]; height x width = counts.length
 */
export async function drawPixels(
  counts: readonly number[],
  shape: readonly [number, number],
): Promise<{ svg: Markup; pool: number }> {
  const [height, width] = shape
  const pool = Math.ceil(Math.max(height, width) / mostCells)
  const rows = Math.ceil(height / pool)
  const columns = Math.ceil(width / pool)
  const cells = Array.from({ length: rows * columns }, (_, index) => ({
    x: index % columns,
    y: Math.floor(index / columns),
    sum: 0,
    pixels: 0,
  }))
  counts.forEach((value, pixel) => {
    const cell =
      cells[Math.floor(Math.floor(pixel / width) / pool) * columns + Math.floor((pixel % width) / pool)]!
    cell.sum += value
    cell.pixels++
  })
  const values = cells.map(({ x, y, sum, pixels }) => ({ x, y, connections: sum / pixels }))
  const cellSize = Math.max(3, Math.floor(392 / Math.max(rows, columns)))
  const svg = await drawSvg(
    {
      width: cellSize * columns,
      height: cellSize * rows,
      data: { values },
      mark: { type: 'rect' },
      encoding: {
        x: { field: 'x', type: 'ordinal', axis: null, scale: { padding: 0 } },
        y: { field: 'y', type: 'ordinal', axis: null, scale: { padding: 0 } },
        color: {
          field: 'connections',
          type: 'quantitative',
          scale: { scheme: 'viridis', domainMin: 0 },
          legend: {
            title: 'connections',
            gradientLength: Math.min(200, cellSize * rows),
            format: '~s',
            tickMinStep: 1,
          },
        },
      },
    },
    'connections kept by each input pixel',
  )
  return { svg, pool }
}

/** Bars are readable up to about this many. */
export const mostBars = 30

/** Ranked bars of the inputs that keep the most connections. */
export async function drawInputs(
  counts: readonly number[],
  names: readonly string[] | null,
): Promise<Markup> {
  const values = rankInputs(counts, names).slice(0, mostBars)
  return drawSvg(
    {
      width: 760,
      height: { step: 18 },
      data: { values: values.map((value, rank) => ({ ...value, rank })) },
      mark: { type: 'bar', color: palette[0], cornerRadiusEnd: 2 },
      encoding: {
        x: {
          field: 'connections',
          type: 'quantitative',
          axis: { title: 'connections', format: ',d', values: wholeTicks(0, values[0]?.connections ?? 0, 8) },
        },
        y: {
          // Two columns may share a name, so the rank is the axis and the name only its label.
          field: 'rank',
          type: 'ordinal',
          axis: {
            title: null,
            labelExpr: labelExpression(values),
            labelLimit: 320,
            ticks: false,
            domain: false,
          },
          scale: { paddingInner: 0.25 },
        },
      },
    },
    'inputs ranked by the connections they keep',
  )
}

/** A Vega expression that maps the rank to the name; JSON is a subset of its literals. */
function labelExpression(values: readonly { name: string }[]): string {
  return `${JSON.stringify(values.map(({ name }) => name))}[datum.value]`
}

import type { TopLevelSpec } from 'vega-lite'
import { densityLabel, drawPicture } from '../draw.js'
import { Products } from './compare.js'
import type { Line } from './lines.js'
import { comparisons } from './tables.js'

// As the palette of the package's reports, and two more.
const colors = [
  '#3b82f6',
  '#1e3a8a',
  '#93c5fd',
  '#c8a24b',
  '#e2d29a',
  '#8f8f8f',
  '#c4c4c4',
  '#3fa372',
  '#e8843c',
  '#9a6fe0',
  '#d9588b',
]

function specificationOf(lines: readonly Line[]): TopLevelSpec {
  const all = new Products(lines)
  const values = comparisons.flatMap(({ name, block, precision, dense }) =>
    all.cells
      .filter((cell) => cell.block === block)
      .map((cell) => ({
        size: cell.size,
        batch: cell.batch,
        density: 1 - cell.sparsity,
        series: name,
        speedup: all.speedup(precision, cell, dense),
      }))
      .filter(({ speedup }) => speedup !== null),
  )
  const densities = [...new Set(all.cells.map(({ sparsity }) => 1 - sparsity))].sort((a, b) => b - a)
  const series = comparisons.map(({ name }) => name).filter((name) => values.some((v) => v.series === name))
  return {
    data: { values },
    facet: {
      row: { field: 'size', type: 'ordinal', title: 'size' },
      column: { field: 'batch', type: 'ordinal', title: 'batch' },
    },
    spec: {
      width: 250,
      height: 200,
      layer: [
        { mark: { type: 'rule', strokeDash: [4, 4], opacity: 0.5 }, encoding: { y: { datum: 1 } } },
        {
          mark: { type: 'line', point: { size: 24 }, strokeWidth: 1.5 },
          encoding: {
            x: {
              field: 'density',
              type: 'quantitative',
              scale: { type: 'log', reverse: true, nice: false },
              axis: { title: 'sparsity', values: densities, labelExpr: densityLabel, grid: false },
            },
            y: {
              field: 'speedup',
              type: 'quantitative',
              scale: { type: 'log' },
              axis: { title: 'speed-up over dense', tickCount: 6 },
            },
            color: {
              field: 'series',
              type: 'nominal',
              scale: { domain: series, range: colors.slice(0, series.length) },
              legend: { title: null, orient: 'right', labelLimit: 300 },
            },
          },
        },
      ],
    },
  }
}

/** How many times faster than dense the three products are, over sparsity, for each size and batch. */
export const drawSpeedups = (lines: readonly Line[]): Promise<string> => drawPicture(specificationOf(lines))

/** What a comparison looks like: accuracy against sparsity, and the way there. */
import type { Comparison } from '../experiment/compare.js'
import type { FinishedRun } from '../experiment/run-file.js'
import { finishedAt, type Metric } from '../experiment/summary.js'
import { percent } from './comparison-rows.js'
import type { Markup } from './html.js'
import { drawSvg, palette, wholeTicks } from './svg.js'

const width = 470
const height = 280

/** A method's colour, and once all colours are used a dash. */
function seriesScales(methods: readonly string[]) {
  const dashes = [
    [1, 0],
    [6, 3],
    [2, 2],
    [8, 3, 2, 3],
  ]
  // The same for both, so that Vega-Lite makes one of them.
  const legend = {
    title: null,
    orient: 'bottom' as const,
    columns: 3,
    symbolType: 'stroke',
    symbolStrokeWidth: 3,
    symbolSize: 300,
  }
  return {
    color: {
      field: 'method',
      type: 'nominal' as const,
      scale: { domain: [...methods], range: methods.map((_, i) => palette[i % palette.length]!) },
      legend,
    },
    strokeDash: {
      field: 'method',
      type: 'nominal' as const,
      scale: {
        domain: [...methods],
        range: methods.map((_, i) => dashes[Math.floor(i / palette.length) % dashes.length]!),
      },
      legend,
    },
  }
}

const axisTitle = (metric: Metric): string => (metric === 'accuracy' ? 'test accuracy' : 'test loss')
const axisFormat = (metric: Metric) => (metric === 'accuracy' ? { format: '.1~%' } : {})

/** Each method's mean and one standard deviation: over the sparsities, or with only one of these, method by method. */
export async function drawScores(comparison: Comparison, dataset: string): Promise<Markup | null> {
  const { plan, cells } = comparison
  const sparsities = plan.methods.some(({ free }) => free) ? plan.sparsities : [null]
  const ofData = cells.filter((cell) => cell.dataset === dataset && cell.mean !== null)
  if (ofData.length === 0) return null
  const metric = ofData[0]!.metric
  const values = ofData.flatMap(({ method, sparsity, mean, deviation }) =>
    (sparsity === null ? sparsities : [sparsity]).map((at) => ({
      method,
      sparsity: at === null ? '' : percent(at),
      mean,
      low: mean! - (deviation ?? 0),
      high: mean! + (deviation ?? 0),
    })),
  )
  const methods = plan.methods.map(({ name }) => name)
  const { color, strokeDash } = seriesScales(methods)
  const scale = { zero: false, nice: true }
  const title = axisTitle(metric)
  const label = `${title} of each method on ${dataset}`
  if (sparsities.length === 1) {
    const y = {
      field: 'method',
      type: 'nominal' as const,
      sort: methods,
      axis: { title: null, labelLimit: 220 },
    }
    const x = { type: 'quantitative' as const, axis: { title, ...axisFormat(metric) }, scale }
    return drawSvg(
      {
        width,
        height: { step: 26 },
        data: { values },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 2 },
            encoding: {
              y,
              x: { ...x, field: 'low' },
              x2: { field: 'high' },
              color: { ...color, legend: null },
            },
          },
          {
            mark: { type: 'point', filled: true, size: 70 },
            encoding: { y, x: { ...x, field: 'mean' }, color: { ...color, legend: null } },
          },
        ],
      },
      label,
    )
  }
  const x = {
    field: 'sparsity',
    type: 'ordinal' as const,
    sort: sparsities.map((at) => percent(at!)),
    axis: { title: 'sparsity', labelAngle: 0, grid: false },
  }
  const y = { type: 'quantitative' as const, axis: { title, ...axisFormat(metric) }, scale }
  return drawSvg(
    {
      width,
      height,
      data: { values },
      layer: [
        {
          mark: { type: 'line', strokeWidth: 2, point: { size: 35 } },
          encoding: { x, y: { ...y, field: 'mean' }, color, strokeDash },
        },
        {
          mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
      ],
    },
    label,
  )
}

/** Test accuracy (or loss) of each epoch, the mean over the seeds, of every method at one sparsity. */
export async function drawCurves(
  { plan, runs }: Comparison,
  dataset: string,
  sparsity: number | null,
): Promise<Markup | null> {
  const values = plan.methods.flatMap(({ name: method, free }) =>
    meanCurve(finishedAt(runs, { dataset, method, sparsity: free ? sparsity : null })).map((point) => ({
      method,
      ...point,
    })),
  )
  if (values.length === 0) return null
  const metric: Metric = values[0]!.metric
  const last = Math.max(...values.map(({ epoch }) => epoch))
  const { color, strokeDash } = seriesScales(plan.methods.map(({ name }) => name))
  return drawSvg(
    {
      width,
      height,
      data: { values },
      mark: { type: 'line', strokeWidth: 1.8, point: last === 1 ? { size: 35 } : false },
      encoding: {
        x: {
          field: 'epoch',
          type: 'quantitative',
          axis: { title: 'epoch', values: wholeTicks(1, last, 12), format: 'd', grid: false },
          scale: { domain: last === 1 ? [0, 2] : [1, last], nice: false },
        },
        y: {
          field: 'value',
          type: 'quantitative',
          axis: { title: axisTitle(metric), ...axisFormat(metric) },
          scale: { zero: false, nice: true },
        },
        color,
        strokeDash,
      },
    },
    `${axisTitle(metric)} by epoch on ${dataset}`,
  )
}

function meanCurve(runs: readonly FinishedRun[]): { epoch: number; value: number; metric: Metric }[] {
  const first = runs[0]
  if (first === undefined) return []
  return first.history.map(({ epoch, test }, index) => {
    const at = runs.flatMap(({ history }) => history[index]?.test ?? [])
    const pick = (of: (typeof at)[number]): number => of.accuracy ?? of.loss
    const value = at.reduce((sum, one) => sum + pick(one), 0) / at.length
    return { epoch, value, metric: test.accuracy === null ? 'loss' : 'accuracy' }
  })
}

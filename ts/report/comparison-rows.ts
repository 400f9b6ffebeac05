/** A comparison as tables of text, for the terminal and for the report. */
import type { Comparison } from '../experiment/compare.js'
import { measureTitle } from '../experiment/measures/registry.js'
import type { Cell, MethodComparison, Metric } from '../experiment/summary.js'
import { formatBytes, formatCount, formatFlops, formatSeconds } from './numbers.js'

/** The rows of one data set. */
export interface ComparisonTable {
  readonly dataset: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A table for each data set: at each sparsity a row for each method, the baseline's without a difference. */
export function comparisonTables(comparison: Comparison): ComparisonTable[] {
  return comparison.plan.datasets.map(({ as }) => tableOf(comparison, as))
}

function tableOf({ plan, cells, comparisons, baseline }: Comparison, dataset: string): ComparisonTable {
  const ofData = cells.filter((cell) => cell.dataset === dataset)
  const metric = ofData[0]!.metric
  const sparsities = plan.methods.some(({ free }) => free) ? plan.sparsities : [null]
  const rows = sparsities.flatMap((sparsity) =>
    ofData
      .filter((cell) => cell.sparsity === sparsity || cell.sparsity === null)
      .map((cell) => {
        const against = comparisons.find(
          (one) =>
            one.dataset === dataset &&
            one.method === cell.method &&
            (one.sparsity === sparsity || one.sparsity === null),
        )
        return [
          sparsity === null ? '-' : percent(sparsity),
          cell.method,
          ...scoreCells(cell),
          ...(cell.method === baseline ? ['baseline', '', '', '', '', ''] : testCells(against, metric)),
          ...plan.measures.map(({ type }) => number(cell.measures[type] ?? null)),
          ...sizeCells(cell),
        ]
      }),
  )
  const head = [
    'sparsity',
    'method',
    metric === 'accuracy' ? 'accuracy, %' : 'loss',
    'runs',
    'difference',
    'p (t)',
    'Holm',
    'p (Wilcoxon)',
    'd_z',
    'd',
    ...plan.measures.map(measureTitle),
    'connections',
    'training FLOPs',
    'time',
    'network',
    'process',
  ]
  return { dataset, head, rows }
}

function scoreCells({ metric, mean, deviation, n, failed }: Cell): string[] {
  const runs = failed === 0 ? String(n) : `${n} (${failed} failed)`
  if (mean === null) return ['-', runs]
  const value = score(mean, metric)
  return [deviation === null ? value : `${value} \u00b1 ${score(deviation, metric)}`, runs]
}

function testCells(test: MethodComparison | undefined, metric: Metric): string[] {
  if (test === undefined) return ['-', '-', '-', '-', '-', '-']
  const { difference, interval, p, holm, wilcoxon, dz, d } = test
  const signed = (value: number): string => `${value > 0 ? '+' : ''}${score(value, metric)}`
  const range = interval === null ? '' : ` [${interval.map(signed).join(', ')}]`
  return [
    `${signed(difference)}${range}`,
    formatP(p),
    formatP(holm),
    formatP(wilcoxon),
    number(dz),
    number(d),
  ]
}

function sizeCells({ sizes }: Cell): string[] {
  if (sizes === null) return ['-', '-', '-', '-', '-']
  return [
    formatCount(sizes.connections),
    formatFlops(sizes.trainingFlops),
    formatSeconds(sizes.seconds),
    formatBytes(sizes.networkBytes),
    formatBytes(sizes.peakMemoryMB * 2 ** 20),
  ]
}

/** Accuracy in percent, differences of it in percentage points; loss as it is. */
const score = (value: number, metric: Metric): string =>
  metric === 'accuracy' ? (100 * value).toFixed(2) : value.toFixed(4)

const number = (value: number | null): string => (value === null ? '-' : value.toFixed(2))

/** A share in percent, with the digits that it has. */
export const percent = (share: number): string => `${Number((100 * share).toFixed(4))} %`

/** 0.0357 -> "0.036", 0.00002 -> "<0.001"; "-" where there is no test. */
export function formatP(p: number | null): string {
  if (p === null) return '-'
  return p < 0.001 ? '<0.001' : p.toFixed(3)
}

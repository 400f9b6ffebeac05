/** Accuracies of a comparison in one table, methods against data sets, whichever there are more of down the side. */
import type { Comparison } from '../experiment/compare.js'
import type { Cell } from '../experiment/summary.js'
import { percent } from './comparison-rows.js'

/** A table of accuracies: methods by data sets. */
export interface AccuracyTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Mean +- sample standard deviation over the seeds, in percent; "-" without a run. */
export function accuracyTable({ plan, cells }: Comparison): AccuracyTable {
  const several = plan.sparsities.length > 1
  const places = plan.datasets.flatMap(({ as }) =>
    (several ? plan.sparsities : [null]).map((sparsity) => ({
      name: sparsity === null ? as : `${as}, ${percent(sparsity)}`,
      dataset: as,
      sparsity,
    })),
  )
  const methods = plan.methods.map(({ name }) => name)
  const at = (method: string, { dataset, sparsity }: (typeof places)[number]): string => {
    const cell = cells.find(
      (one) =>
        one.method === method &&
        one.dataset === dataset &&
        (sparsity === null || one.sparsity === null || one.sparsity === sparsity),
    )
    return cell === undefined ? '-' : score(cell)
  }
  if (places.length > methods.length) {
    return {
      head: ['data set', ...methods],
      rows: places.map((place) => [place.name, ...methods.map((method) => at(method, place))]),
    }
  }
  return {
    head: ['method', ...places.map(({ name }) => name)],
    rows: methods.map((method) => [method, ...places.map((place) => at(method, place))]),
  }
}

function score({ mean, deviation }: Cell): string {
  if (mean === null) return '-'
  const value = (100 * mean).toFixed(2)
  return deviation === null ? value : `${value} \u00b1 ${(100 * deviation).toFixed(2)}`
}

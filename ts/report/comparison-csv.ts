import Papa from 'papaparse'
import { measureSummary } from '../experiment/measures/registry.js'
import type { CompareRun } from '../experiment/run-file.js'

/**
 * All runs of a comparison as CSV (RFC 4180), a line for each, failed ones included: what it was, how it ended, its numbers, and
 * the number of each measure. Accuracies and sparsities are shares; memory is in bytes.
 */
export function comparisonCsv({ runs }: { readonly runs: readonly CompareRun[] }): string {
  const measures = [
    ...new Map(runs.flatMap(({ job }) => job.measures).map((one) => [one.type, one])).values(),
  ]
  const rows = runs.map((run) => {
    const { key, dataset, method, sparsity, seed } = run.job
    const place = { dataset: dataset.as, method: method.name, sparsity, seed, status: run.status }
    if (run.status === 'failed')
      return { ...place, error: run.error.code, message: run.error.message, run: key }
    const { best, peakMemoryMB, sparsity: reached, ...numbers } = run.result
    const measured = measures.map((one) => [one.type, measureSummary(one, run.measures[one.type])])
    return {
      ...place,
      ...numbers,
      reachedSparsity: reached,
      bestEpoch: best.epoch,
      bestAccuracy: best.accuracy,
      bestLoss: best.loss,
      peakMemoryBytes: peakMemoryMB * 2 ** 20,
      ...Object.fromEntries(measured),
      device: run.machine.device,
      threads: run.machine.threads,
      processor: run.machine.processor,
      espalier: run.machine.espalier,
      run: key,
    }
  })
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return `${Papa.unparse({ fields: columns, data: rows }, { newline: '\r\n' })}\r\n`
}

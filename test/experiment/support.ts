import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CompareRun, FinishedRun, Study } from '../../lib/index.js'
import { smallTable } from '../cli/process.js'

/** A folder with a table, and a study of it that takes a moment. */
export const tableFile = { 'table.csv': smallTable() }

export function tableStudy(folder: string, change: Partial<Study> = {}): Study {
  return {
    name: 'table',
    datasets: [{ name: join(folder, 'table.csv'), as: 'table', label: 'kind' }],
    sparsities: [0.5, 0.7],
    seeds: 2,
    network: { hidden: [12], device: 'cpu' },
    fit: { epochs: 2, batchSize: 16 },
    methods: [{ name: 'random' }, { name: 'dense', network: { layer: { type: 'dense' } } }],
    ...change,
  }
}

/** The files of the runs of a comparison. */
export function runFiles(folder: string): string[] {
  return readdirSync(join(folder, 'runs')).sort()
}

/** A run without what differs from one time to the next. */
export function steady(run: CompareRun): object {
  const { job, layers, result, history } = run as FinishedRun
  const { accuracy, loss, best, connections, parameters, steps, trainingFlops } = result
  return {
    job,
    layers,
    result: { accuracy, loss, best, connections, parameters, steps, trainingFlops },
    history: history.map(({ train, test, connections }) => ({ train, test, connections })),
  }
}

/** Processes whose parent is this one, on Linux. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(/\s+/).filter(Boolean).map(Number)
}

export const noProc = process.platform === 'linux' ? false : 'there is no /proc to find the workers in'

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Comparisons that nobody ran, so that a verdict can be tested on numbers of our choice. */
import { gridOf } from '../../lib/experiment/grid.js'
import { readStudy } from '../../lib/experiment/read-study.js'
import { type CompareRun, type Comparison, type FinishedRun, type Study, summarize } from '../../lib/index.js'

/** A run that is to be made up. */
export interface Made {
  readonly method: string
  readonly dataset: string
  readonly seed: number
  /** 0, 1, 2 ...: the place of the seed in the list. */
  readonly index: number
}

/** What it is to have reached. */
export interface Outcome {
  /** In percent. */
  readonly accuracy: number
  readonly seconds?: number
  readonly parameters?: number
  readonly measures?: object
}

/** Null: the run failed. */
export function madeUp(study: Study, outcome: (run: Made) => Outcome | null): Comparison {
  const plan = readStudy(study)
  const runs = gridOf(plan, new Map()).map((job): CompareRun => {
    const base = { format: 'espalier-compare-run', version: 1, job, started: '2026-01-01T00:00:00Z' } as const
    const { seed, method, dataset } = job
    const made = outcome({ method: method.name, dataset: dataset.as, seed, index: plan.seeds.indexOf(seed) })
    if (made === null)
      return { ...base, status: 'failed', error: { code: 'ERR_ESPALIER_DIVERGED', message: 'lost' } }
    const { accuracy, seconds = 1, parameters = 100, measures = {} } = made
    const result = {
      accuracy: accuracy / 100,
      loss: 0,
      trainAccuracy: 1,
      trainLoss: 0,
      best: { epoch: 1, accuracy: accuracy / 100, loss: 0 },
      epochs: 1,
      steps: 1,
      connections: 10,
      parameters,
      sparsity: 0.9,
      trainingFlops: 1,
      inferenceFlops: 1,
      seconds,
      samplesPerSecond: 1,
      rewireSeconds: 0,
      prepareSeconds: 0,
      wallSeconds: seconds,
      peakMemoryMB: 1,
      networkBytes: 1,
    }
    const machine = { processor: 'none', device: 'cpu' }
    return {
      ...base,
      status: 'finished',
      result,
      history: [],
      layers: [],
      notes: {},
      measures,
      machine,
    } as unknown as FinishedRun
  })
  return { reason: 'finished', plan, folder: '', runs, ...summarize(plan, runs) }
}

/** A small spread that is the same for every method of one seed but for a hair, so that differences have an interval. */
export const noise = (index: number, size = 0.05): number => size * ([0, 1, -1, 0.5, -0.5][index % 5] ?? 0)

/** The runs of a study in numbers: each method's mean and spread, and how far it is from the baseline. */
import { EspalierError } from '../errors.js'
import { measureSummary } from './measures/registry.js'
import type { Plan, PlannedDataset } from './read-study.js'
import type { CompareRun, FinishedRun } from './run-file.js'
import { holm } from './statistics/holm.js'
import { comparePaired, type PairedTest } from './statistics/paired.js'
import { describeSample, type Interval, meanOf } from './statistics/sample.js'

/** What is compared: test accuracy, as a share; for regression the test loss, of which less is better. */
export type Metric = 'accuracy' | 'loss'

/** A place in the grid, without the seed. */
export interface Place {
  /** The name of the data set in the study. */
  readonly dataset: string
  readonly method: string
  /** Null where it is not the grid's to choose. */
  readonly sparsity: number | null
}

/** One method on one data set at one sparsity, over its seeds. */
export interface Cell extends Place {
  readonly metric: Metric
  /** Runs that finished, and that failed. */
  readonly n: number
  readonly failed: number
  /** Of the metric; null without a finished run. */
  readonly mean: number | null
  /** Sample standard deviation; null below two runs. */
  readonly deviation: number | null
  /** 95 % confidence interval of the mean, by Student's t; null below two runs. */
  readonly interval: Interval | null
  /** Means over the finished runs; null without one. */
  readonly sizes: CellSizes | null
  /** Means of the numbers of the measures, by `type`; null where a run has none. */
  readonly measures: { readonly [type: string]: number | null }
}

/** Means over the finished runs of a cell; see `CompareResult`. */
export interface CellSizes {
  readonly connections: number
  readonly parameters: number
  readonly sparsity: number
  readonly trainingFlops: number
  readonly inferenceFlops: number
  readonly seconds: number
  readonly samplesPerSecond: number
  readonly peakMemoryMB: number
  readonly networkBytes: number
}

/** A method against the baseline, paired by seed: method - baseline. */
export interface MethodComparison extends Place, PairedTest {
  readonly baseline: string
  readonly metric: Metric
  /** `p` and `wilcoxon` adjusted by Holm's method over all comparisons of the study. */
  readonly holm: number | null
  readonly wilcoxonHolm: number | null
}

/** What the runs of a comparison come to. */
export interface Summary {
  readonly baseline: string
  readonly cells: readonly Cell[]
  readonly comparisons: readonly MethodComparison[]
  /** What a reader of the numbers must know, in sentences. */
  readonly remarks: readonly string[]
}

/**
 * Sums the runs of a study up.
 *
 * @param baseline the method that the others are compared with. Default: that of the study
 * @throws ERR_ESPALIER_OPTION for a baseline that is no method
 */
export function summarize(plan: Plan, runs: readonly CompareRun[], baseline = plan.baseline): Summary {
  if (!plan.methods.some(({ name }) => name === baseline)) {
    const allowed = plan.methods.map(({ name }) => name).join(', ')
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `summarize: option "baseline" is ${JSON.stringify(baseline)}; allowed: ${allowed}`,
    )
  }
  const cells = plan.datasets.flatMap((dataset) =>
    plan.methods.flatMap(({ name, free }) =>
      (free ? plan.sparsities : [null]).map((sparsity) =>
        cellOf(plan, runs, { dataset: dataset.as, method: name, sparsity }),
      ),
    ),
  )
  const comparisons = compareAll(plan, runs, baseline)
  return { baseline, cells, comparisons, remarks: remarksOn(plan, runs, comparisons) }
}

/**
 * Compares two methods of a study on one data set at one sparsity, paired by seed, over the seeds that both finished.
 *
 * @param sparsity any of the grid; of a method whose sparsity is not the grid's, its only runs are taken
 * @returns null where no seed was finished by both
 */
export function comparePairs(
  { plan, runs }: { readonly plan: Plan; readonly runs: readonly CompareRun[] },
  pair: {
    readonly method: string
    readonly baseline: string
    readonly dataset: string
    readonly sparsity: number | null
  },
): PairedTest | null {
  const of = (method: string): FinishedRun[] => {
    const free = plan.methods.find(({ name }) => name === method)?.free === true
    return finishedAt(runs, { dataset: pair.dataset, method, sparsity: free ? pair.sparsity : null })
  }
  const others = new Map(of(pair.baseline).map((run) => [run.job.seed, run]))
  const pairs = of(pair.method).flatMap((run) => {
    const other = others.get(run.job.seed)
    return other === undefined ? [] : [[scoreOf(plan, run), scoreOf(plan, other)] as const]
  })
  if (pairs.length === 0) return null
  return comparePaired(
    pairs.map(([value]) => value),
    pairs.map(([, value]) => value),
  )
}

/** What counts of a run: the metric at the epoch that the study takes. */
export function scoreOf({ epoch }: Pick<Plan, 'epoch'>, { result }: FinishedRun): number {
  const { accuracy, loss } = epoch === 'best' ? result.best : result
  return accuracy ?? loss
}

/** The finished runs of a place, seed by seed. */
export function finishedAt(runs: readonly CompareRun[], place: Place): FinishedRun[] {
  return runsAt(runs, place).filter((run) => run.status === 'finished')
}

function runsAt(runs: readonly CompareRun[], { dataset, method, sparsity }: Place): CompareRun[] {
  return runs.filter(
    ({ job }) => job.dataset.as === dataset && job.method.name === method && job.sparsity === sparsity,
  )
}

function cellOf(plan: Plan, runs: readonly CompareRun[], place: Place): Cell {
  const finished = finishedAt(runs, place)
  const failed = runsAt(runs, place).length - finished.length
  const metric = metricOf(runs, place.dataset)
  const mean = (pick: (run: FinishedRun) => number): number => meanOf(finished.map(pick))
  const measures = Object.fromEntries(
    plan.measures.map((measure) => {
      const values = finished.map((run) => measureSummary(measure, run.measures[measure.type]))
      const whole = values.length > 0 && values.every((value) => value !== null)
      return [measure.type, whole ? meanOf(values as number[]) : null]
    }),
  )
  const none = { n: 0, mean: null, deviation: null, interval: null, sizes: null }
  if (finished.length === 0) return { ...place, metric, failed, measures, ...none }
  const sizes: CellSizes = {
    connections: mean(({ result }) => result.connections),
    parameters: mean(({ result }) => result.parameters),
    sparsity: mean(({ result }) => result.sparsity),
    trainingFlops: mean(({ result }) => result.trainingFlops),
    inferenceFlops: mean(({ result }) => result.inferenceFlops),
    seconds: mean(({ result }) => result.seconds),
    samplesPerSecond: mean(({ result }) => result.samplesPerSecond),
    peakMemoryMB: mean(({ result }) => result.peakMemoryMB),
    networkBytes: mean(({ result }) => result.networkBytes),
  }
  return {
    ...place,
    metric,
    failed,
    measures,
    sizes,
    ...describeSample(finished.map((run) => scoreOf(plan, run))),
  }
}

/** Accuracy where the data has classes. */
function metricOf(runs: readonly CompareRun[], dataset: string): Metric {
  const run = runs.find((run) => run.status === 'finished' && run.job.dataset.as === dataset)
  return run?.status === 'finished' && run.result.accuracy === null ? 'loss' : 'accuracy'
}

function compareAll(plan: Plan, runs: readonly CompareRun[], baseline: string): MethodComparison[] {
  const base = plan.methods.find(({ name }) => name === baseline)!
  const others = plan.methods.filter(({ name }) => name !== baseline)
  const found = plan.datasets.flatMap(({ as: dataset }: PlannedDataset) =>
    others.flatMap(({ name: method, free }) =>
      // Two methods that the grid does not concern are compared once, and not counted once more at each sparsity.
      (free || base.free ? plan.sparsities : [null]).flatMap((sparsity) => {
        const test = comparePairs({ plan, runs }, { method, baseline, dataset, sparsity })
        return test === null
          ? []
          : [{ dataset, method, sparsity, baseline, metric: metricOf(runs, dataset), ...test }]
      }),
    ),
  )
  const adjusted = holm(found.map(({ p }) => p))
  const wilcoxonAdjusted = holm(found.map(({ wilcoxon }) => wilcoxon))
  return found.map((one, i) => ({ ...one, holm: adjusted[i]!, wilcoxonHolm: wilcoxonAdjusted[i]! }))
}

function remarksOn(
  plan: Plan,
  runs: readonly CompareRun[],
  comparisons: readonly MethodComparison[],
): string[] {
  const remarks: string[] = []
  const failed = runs.filter(({ status }) => status === 'failed').length
  if (failed > 0)
    remarks.push(
      `${failed} of ${runs.length} runs failed; pairs are made of seeds that both methods finished.`,
    )
  const most = Math.max(0, ...comparisons.map(({ n }) => n))
  const least = 2 ** (1 - most)
  if (most === 1)
    remarks.push('One seed: no test is possible, and no spread is known; ask for more with "seeds".')
  else if (most > 1 && least > 0.05) {
    remarks.push(
      `With ${most} pairs the signed rank test cannot give p below ${least.toPrecision(3)}, however clear the difference.`,
    )
  }
  if (plan.epoch === 'best') {
    remarks.push(
      'Each run counts by the epoch that is best on the test part, which flatters every method a little.',
    )
  }
  if (comparisons.length > 1 && most > 1) {
    remarks.push(`Holm's correction is over the ${comparisons.length} comparisons of the study.`)
  }
  return remarks
}

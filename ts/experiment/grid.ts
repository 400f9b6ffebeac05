/** The runs of a study, and the name that each has by what decides its result. */
import { createHash } from 'node:crypto'
import type { Places } from './data.js'
import type { Measure } from './measures/registry.js'
import type { Plan, PlannedDataset, PlannedMethod } from './read-study.js'

/** One run to be done, as a worker gets it: plain JSON. */
export interface Job {
  /** Names the file of the run: see `keyOf`. */
  readonly key: string
  readonly method: PlannedMethod
  readonly dataset: PlannedDataset
  /** Seed of the data, by `split`. */
  readonly dataSeed: number
  /** Null where it is not the grid's to choose. */
  readonly sparsity: number | null
  readonly seed: number
  readonly measures: readonly Measure[]
}

/** How a job is done; decides no result. */
export interface JobSettings {
  readonly threads: number
  readonly places: Places
  /** Where samples that were drawn are kept while the comparison runs; see `keptSamples`. */
  readonly samples: string
}

/** Changes when runs record something else, so that older files are not taken for newer ones. */
const format = 1

/**
 * Every run of a study, seed by seed, so that a study that is interrupted has whole pairs.
 *
 * @param sources what each data set comes from, by its name in the study
 */
export function gridOf(plan: Plan, sources: ReadonlyMap<string, string>): Job[] {
  const { methods, datasets, seeds, sparsities, split, measures } = plan
  return seeds.flatMap((seed) =>
    datasets.flatMap((dataset) =>
      methods.flatMap((method) =>
        (method.free ? sparsities : [null]).map((sparsity): Job => {
          const dataSeed = split === 'perSeed' ? seed : (dataset.seed ?? 0)
          const job = { method, dataset, dataSeed, sparsity, seed, measures }
          return { key: keyOf(job, sources.get(dataset.as) ?? ''), ...job }
        }),
      ),
    ),
  )
}

/**
 * The name of a run: a hash of everything that decides its result, and of nothing else. Names of study, method and data set,
 * threads, folders and the other cells of the grid are not in it;
 * where the samples come from is, as `source`.
 */
function keyOf(
  { method, dataset, dataSeed, sparsity, seed, measures }: Omit<Job, 'key'>,
  source: string,
): string {
  const { as, name, testFile, seed: _, ...samples } = dataset
  const { network, fit, prepare } = method
  const decides = { format, samples, dataSeed, source, network, fit, prepare, sparsity, seed, measures }
  return createHash('sha256').update(canonical(decides)).digest('hex').slice(0, 32)
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

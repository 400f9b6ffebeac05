import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { DownloadProgress } from '../data/download.js'
import { EspalierError } from '../errors.js'
import { flag, instance, MAX_THREADS, object, parse, text, whole } from '../validation.js'
import { type Places, sourceOf } from './data.js'
import { gridOf, type Job, type JobSettings } from './grid.js'
import { withSampleFolder } from './kept-samples.js'
import { lockFolder } from './lock.js'
import { type CompareProgress, ProgressCounter } from './progress.js'
import { type Plan, readStudy } from './read-study.js'
import { type CompareRun, RunFolder } from './run-file.js'
import type { Study } from './study.js'
import { type Summary, summarize } from './summary.js'
import { runWorker } from './worker-process.js'

/** How a study is carried out; decides no result. */
export interface CompareOptions {
  /** Where the runs are kept. Default: `runs/<name of the study>`. */
  folder?: string
  /** Runs at the same time, each in a process of its own. Default: as many as the machine's cores hold with `threads` each. */
  processes?: number
  /** Threads of each run, 1 to 256. Default: 1. */
  threads?: number
  /** Aborting it ends the runs under way at once; those that are done are kept. */
  signal?: AbortSignal
  /** Do runs again that failed before. Default: false, since most would fail the same way. */
  retryFailed?: boolean
  /** As in `loadDataset`. */
  dataDirectory?: string
  /** As in `loadDataset`. */
  cacheDirectory?: string
  /** As in `loadDataset`. */
  mirror?: string
  /** Called when a run starts, has done an epoch, or ends. */
  onProgress?: (progress: CompareProgress) => void
  /** Called while a data set is downloaded. */
  onDownload?: (progress: DownloadProgress) => void
}

/** A study and what came of it. */
export interface Comparison extends Summary {
  /** 'cancelled' when the signal was aborted before every run was done. */
  readonly reason: 'finished' | 'cancelled'
  /** The study with every default. */
  readonly plan: Plan
  /** Where its runs are, absolute. */
  readonly folder: string
  /** Those that are done, in the order of the grid; failed ones have `status: 'failed'`. */
  readonly runs: readonly CompareRun[]
}

const isSignal = (value: unknown): value is AbortSignal => value instanceof AbortSignal
const isCallback = <T>(value: unknown): value is (progress: T) => void => typeof value === 'function'

const optionsSchema = object({
  folder: text('a path').optional(),
  processes: whole({ from: 1, to: MAX_THREADS }).optional(),
  threads: whole({ from: 1, to: MAX_THREADS }).default(1),
  signal: instance(isSignal, 'an AbortSignal').optional(),
  retryFailed: flag().default(false),
  dataDirectory: text('a path').optional(),
  cacheDirectory: text('a path').optional(),
  mirror: text('an address').optional(),
  onProgress: instance(isCallback<CompareProgress>, 'a function').optional(),
  onDownload: instance(isCallback<DownloadProgress>, 'a function').optional(),
})
type Settings = ReturnType<typeof readOptions>

function readOptions(options: CompareOptions) {
  const { processes, dataDirectory, cacheDirectory, mirror, ...rest } = parse(
    'compare',
    optionsSchema,
    options,
  )
  const places = { dataDirectory, cacheDirectory, mirror }
  return {
    ...rest,
    processes: processes ?? Math.max(1, Math.floor(availableParallelism() / rest.threads)),
    places: Object.fromEntries(Object.entries(places).filter(([, value]) => value !== undefined)) as Places,
  }
}

/**
 * Carries out a study: every method on every data set at every sparsity from every seed, in worker processes. Each run that is
 * done is a file in the folder, so that a study goes on where it stopped and no finished run is done twice; the file is named
 * by everything that decides the result, so that whatever is changed in a study is a new run. A run that fails is recorded
 * with its error and stops no other.
 *
 * @param study see `Study`; checked, with its data sets and networks, before anything trains
 * @throws ERR_ESPALIER_OPTION for a study or options that are misspelt or impossible; ERR_ESPALIER_STATE where another
 * comparison writes the folder; what `loadDataset` throws; ERR_ESPALIER_FILE and ERR_ESPALIER_FORMAT for the folder
 */
export async function compare(study: Study, options: CompareOptions = {}): Promise<Comparison> {
  const plan = readStudy(study)
  const settings = readOptions(options)
  const folder = path.resolve(settings.folder ?? path.join('runs', plan.name))
  const sources = new Map<string, string>()
  for (const dataset of plan.datasets) sources.set(dataset.as, await sourceOf(dataset, settings.places))
  const jobs = gridOf(plan, sources)
  const files = new RunFolder(path.join(folder, 'runs'))
  await files.make()
  const unlock = await lockFolder(folder)
  try {
    const found = await files.read(jobs)
    for (const [key, run] of found) if (settings.retryFailed && run.status === 'failed') found.delete(key)
    const samples = path.join(folder, 'samples')
    await withSampleFolder(samples, () => doRuns(jobs, found, files, { ...settings, samples }))
    // Two methods may be the same but for their names: then they share a run, and each has it under its own.
    const runs = jobs.flatMap((job) => {
      const run = found.get(job.key)
      return run === undefined ? [] : [{ ...run, job }]
    })
    const reason = runs.length < jobs.length ? 'cancelled' : 'finished'
    return { reason, plan, folder, runs, ...summarize(plan, runs) }
  } finally {
    await unlock()
  }
}

/** Does what is not done yet and adds it to `runs`. */
async function doRuns(
  jobs: readonly Job[],
  runs: Map<string, CompareRun>,
  files: RunFolder,
  {
    threads,
    places,
    samples,
    processes,
    signal,
    onProgress,
    onDownload,
  }: Settings & Pick<JobSettings, 'samples'>,
): Promise<void> {
  const pending = unique(jobs, ({ key }) => key).filter(({ key }) => !runs.has(key))
  const progress = new ProgressCounter(
    unique(jobs, ({ key }) => key),
    runs,
    onProgress,
  )
  if (pending.length === 0 || signal?.aborted) return
  const settings: JobSettings = { threads, places, samples }
  // Also aborted when a run cannot be written: the others would share its fate.
  const ending = new AbortController()
  const end = () => ending.abort()
  signal?.addEventListener('abort', end, { once: true })
  try {
    await checkJobs(pending, settings, ending.signal, onDownload)
    const queue = [...pending]
    const work = async () => {
      for (let job = queue.shift(); job !== undefined && !ending.signal.aborted; job = queue.shift()) {
        const run = await doRun(job, settings, ending.signal, progress)
        if (run === null) return
        await files.write(run)
        runs.set(job.key, run)
        progress.ended(run)
      }
    }
    const workers = Array.from({ length: Math.min(processes, pending.length) }, () =>
      work().catch((error) => {
        ending.abort()
        throw error
      }),
    )
    const failures = (await Promise.allSettled(workers)).filter(({ status }) => status === 'rejected')
    if (failures[0] !== undefined) throw (failures[0] as PromiseRejectedResult).reason
  } finally {
    signal?.removeEventListener('abort', end)
  }
}

/** Whether runs can start at all. A worker that dies of it is no answer: the runs will show. */
async function checkJobs(
  pending: readonly Job[],
  settings: JobSettings,
  signal: AbortSignal,
  onDownload: CompareOptions['onDownload'],
): Promise<void> {
  const jobs = unique(pending, ({ dataset, method, sparsity }) =>
    JSON.stringify([dataset.as, method.name, sparsity]),
  )
  const outcome = await runWorker({ type: 'check', jobs, settings }, signal, (answer) => {
    if (answer.type === 'download') onDownload?.({ total: undefined, ...answer })
  })
  if (outcome?.type !== 'failed' || outcome.died) return
  throw new EspalierError(outcome.error.code, outcome.error.message)
}

/** One run in a worker; null where it was stopped. */
async function doRun(
  job: Job,
  settings: JobSettings,
  signal: AbortSignal,
  progress: ProgressCounter,
): Promise<CompareRun | null> {
  const started = new Date().toISOString()
  const outcome = await runWorker({ type: 'run', job, settings }, signal, (answer) => {
    if (answer.type === 'epoch') progress.epoch(job, answer.epoch)
  })
  if (outcome?.type === 'finished') return outcome.run
  if (outcome?.type !== 'failed') return null
  return { format: 'espalier-compare-run', version: 1, status: 'failed', job, started, error: outcome.error }
}

/** The first of each name. */
function unique(jobs: readonly Job[], name: (job: Job) => string): Job[] {
  const seen = new Set<string>()
  return jobs.filter((job) => !seen.has(name(job)) && seen.add(name(job)))
}

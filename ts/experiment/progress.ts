import type { Job } from './grid.js'
import type { CompareRun } from './run-file.js'

/** How far a comparison is. */
export interface CompareProgress {
  /** Runs of the study. */
  readonly total: number
  /** Runs that are done, those that failed and those that were found done included. */
  readonly done: number
  /** Of these, found done by an earlier call. */
  readonly found: number
  /** Of these, failed. */
  readonly failed: number
  /** Epochs that this call has to do, and has done; those of a run that failed count as done. */
  readonly epochs: number
  readonly epochsDone: number
  /** The run that has just ended; null where an epoch has, and at the start. */
  readonly ended: CompareRun | null
}

/** Counts, and tells after each change. */
export class ProgressCounter {
  readonly #total: number
  readonly #found: number
  readonly #epochs: number
  readonly #tell: (progress: CompareProgress) => void
  /** Epochs done of each run that is under way or done. */
  readonly #epochsOf = new Map<string, number>()
  #done: number
  #failed: number

  /** @param found runs that are done already */
  constructor(
    jobs: readonly Job[],
    found: ReadonlyMap<string, CompareRun>,
    tell: (progress: CompareProgress) => void = () => {},
  ) {
    this.#total = jobs.length
    this.#found = this.#done = found.size
    this.#failed = [...found.values()].filter(({ status }) => status === 'failed').length
    const pending = jobs.filter(({ key }) => !found.has(key))
    this.#epochs = pending.reduce((sum, { method }) => sum + method.fit.epochs, 0)
    this.#tell = tell
    this.#say(null)
  }

  epoch(job: Job, epoch: number): void {
    this.#epochsOf.set(job.key, epoch)
    this.#say(null)
  }

  ended(run: CompareRun): void {
    this.#done++
    if (run.status === 'failed') this.#failed++
    this.#epochsOf.set(run.job.key, run.job.method.fit.epochs)
    this.#say(run)
  }

  #say(ended: CompareRun | null): void {
    const epochsDone = [...this.#epochsOf.values()].reduce((sum, epochs) => sum + epochs, 0)
    this.#tell({
      total: this.#total,
      done: this.#done,
      found: this.#found,
      failed: this.#failed,
      epochs: this.#epochs,
      epochsDone,
      ended,
    })
  }
}

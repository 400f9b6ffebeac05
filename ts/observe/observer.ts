import type { NetworkDescription } from '../model/description.js'
import type { Progress } from '../model/snapshot.js'
import type { NetworkStats } from '../model/stats.js'
import type { RunEvent, RunResult } from '../train/events.js'
import type { FitSettings } from '../train/options.js'

/** A run as it begins. */
export interface ObservedRun {
  /** What the network is made of. */
  readonly description: NetworkDescription
  /** The run's settings, defaults filled in. */
  readonly settings: FitSettings
  /** Threads that train. */
  readonly threads: number
  /** Where the network computes; looked for when it is read. */
  readonly device: 'cpu' | 'cuda'
  /** Samples of an epoch. */
  readonly samples: number
  /** Samples that are measured after every epoch; 0 without a validation set. */
  readonly validationSamples: number
  /** How far training had come; all 0 unless the run resumes. */
  readonly before: Progress
  /** What the network is and holds now; to be asked until the run has ended. */
  stats(): NetworkStats
}

/** A file that a run has written, or could not write. */
export interface WrittenCheckpoint {
  /** The file. */
  readonly path: string
  /** Epochs completed in the file. */
  readonly epoch: number
  /** Steps done in the file. */
  readonly step: number
  /** That writing took, until it was on disk. */
  readonly seconds: number
  /** Code of the error that it could not be written for; null where it was. */
  readonly error: string | null
}

/**
 * How a run ended: what it resolved to, or the error that it rejected with, and its code (an `ErrorCode`, but for what a
 * stream of samples threw).
 */
export type RunOutcome =
  | { readonly reason: RunResult['reason']; readonly result: RunResult }
  | { readonly reason: 'failed'; readonly code: string; readonly error: unknown }

/**
 * What hears of one run. All are called on the JavaScript thread, between two turns of the event loop; what they throw is
 * reported once, as a process warning with code ESPALIER_OBSERVER, and disturbs nothing.
 */
export interface RunListener {
  /** Every event of the run, as its iterators see them; progress at most ten times a second. */
  event?(event: RunEvent): void
  /** After each file, in front of its 'checkpoint' event. */
  checkpoint?(written: WrittenCheckpoint): void
  /** Last, and once, right before the run settles. */
  end?(outcome: RunOutcome): void
}

/**
 * Follows runs: called once at the start of each with what is known of it, it gives what hears of the rest. One observer
 * may be given to any number of runs at once.
 *
 * ```ts
 * const epochs: RunObserver = (run) => ({
 *   event(event) {
 *     if (event.type === 'epoch') console.log(`${event.epoch} of ${run.settings.epochs}`, event.train.loss)
 *   },
 * })
 * ```
 */
// biome-ignore lint/suspicious/noConfusingVoidType: an observer may have nothing to say
export type RunObserver = (run: ObservedRun) => RunListener | void

import type { Outcome, Task } from './task.js'

export interface PeerRecord {
  peer: string
  /** Of the peer's library; empty where it could not run. */
  version: string
  task: Task['name']
  /** Layer sizes. */
  shape: string
  batch: number
  threads: number
  sparsity: number
  /** Median of a step; null where the peer failed or did something else, which `note` tells. */
  milliseconds: number | null
  /** Half the distance between the quartiles. */
  spread: number | null
  /** Nerva's protocol alone: an epoch of 50,000 samples at the median step. */
  epochSeconds?: number
  note?: string
  /** Median of Espalier's step on the same task, timed just before the peer. */
  espalierMilliseconds: number
  espalierSpread: number
  espalierEpochSeconds?: number
  machine: string
}

/** How a record names a machine. */
export const machineText = (processor: string, processors: number): string =>
  `${processor}, ${processors} threads`

/** Whether a record was measured on a machine with this processor, and as many of it. */
export const measuredOn = (
  { machine }: PeerRecord,
  { processor, processors }: { processor: string; processors: number },
): boolean => machine.startsWith(`${machineText(processor, processors)},`)

export interface Summary {
  median: number
  spread: number
}

/** Median, and half the distance between the quartiles. @throws Error without numbers */
export function summarize(numbers: readonly number[]): Summary {
  if (numbers.length === 0) throw new Error('nothing was timed')
  const sorted = numbers.toSorted((a, b) => a - b)
  const quantile = (share: number) => {
    const position = share * (sorted.length - 1)
    const [low, high] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!]
    return low + (high - low) * (position % 1)
  }
  return { median: quantile(0.5), spread: (quantile(0.75) - quantile(0.25)) / 2 }
}

/** Samples of CIFAR-10 that Nerva's authors trained on. */
const nervaSamples = 50_000

function epochOf(task: Task, milliseconds: number): number {
  return ((milliseconds / 1000) * nervaSamples) / task.batch
}

/** Losses that begin from the same weights differ by rounding alone: by less than a thousandth after few steps. */
export function sameLoss(loss: number, expected: number): boolean {
  return Math.abs(loss - expected) <= 1e-3 * Math.abs(expected)
}

/**
 * What is kept of a peer's run beside Espalier's.
 *
 * @param outcome an Error where the peer failed
 */
export function recordOf(
  peer: string,
  task: Task,
  outcome: Outcome | Error,
  espalier: Outcome,
  machine: string,
): PeerRecord {
  const own = summarize(espalier.milliseconds)
  const failed = outcome instanceof Error
  const different = !failed && !sameLoss(outcome.loss, espalier.loss)
  const timed = failed || different ? null : summarize(outcome.milliseconds)
  let note = failed ? outcome.message : outcome.note
  if (different) note = `not the same task: loss ${outcome.loss}, Espalier's ${espalier.loss}`
  return {
    peer,
    version: failed ? '' : outcome.version,
    task: task.name,
    shape: task.sizes.join('-'),
    batch: task.batch,
    threads: task.threads,
    sparsity: task.sparsity,
    milliseconds: timed?.median ?? null,
    spread: timed?.spread ?? null,
    ...(task.name === 'nerva' && timed !== null && { epochSeconds: epochOf(task, timed.median) }),
    note,
    espalierMilliseconds: own.median,
    espalierSpread: own.spread,
    ...(task.name === 'nerva' && { espalierEpochSeconds: epochOf(task, own.median) }),
    machine,
  }
}

/** What a file of results is named after: `AMD EPYC 9R14` becomes `amd-epyc-9r14`. */
export function slugOf(processor: string): string {
  return processor
    .toLowerCase()
    .replaceAll(/\((r|tm)\)/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}

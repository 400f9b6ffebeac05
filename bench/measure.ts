import { setImmediate } from 'node:timers/promises'
import Benchmark from 'benchmark'
import type { Workload } from './addon.js'

export interface Timing {
  /** Median, in milliseconds. */
  milliseconds: number
  /** Half the distance between the quartiles, in milliseconds. */
  spread: number
  samples: number
}

function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const low = sorted[below] ?? Number.NaN
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN
  return low + (high - low) * (position - below)
}

/** Seconds of one run. */
function clock(workload: Workload): number {
  const start = performance.now()
  workload()
  return (performance.now() - start) / 1000
}

/** Three runs, or one where it takes longer than `seconds`; returns the seconds of the last. */
function warmUp(workload: Workload, seconds: number): number {
  const first = clock(workload)
  if (first > seconds) return first
  workload()
  return clock(workload)
}

/** Seconds of each sample, by Benchmark.js. */
function sample(workload: Workload, seconds: number): number[] {
  const benchmark = new Benchmark('workload', workload, { minTime: 0.02, maxTime: seconds, minSamples: 7 })
  benchmark.run({ async: false })
  const failure: unknown = (benchmark as unknown as { error?: unknown }).error
  if (failure) throw failure
  return benchmark.stats.sample
}

/**
 * Times a workload after a warm-up, for about `seconds`, in at least seven samples. What takes longer than `seconds` is run
 * three times: Benchmark.js would try each sample before taking it.
 */
export function measure(workload: Workload, seconds: number): Timing {
  const slow = warmUp(workload, seconds) > seconds
  const times = slow ? Array.from({ length: 3 }, () => clock(workload)) : sample(workload, seconds)
  const sorted = times.map((each) => each * 1000).sort((a, b) => a - b)
  return {
    milliseconds: quantile(sorted, 0.5),
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2,
    samples: sorted.length,
  }
}

/** Seconds of the fastest of a few runs; enough to tell which of several ways is the fastest. */
export function glance(workload: Workload): number {
  clock(workload)
  const times: number[] = []
  let spent = 0
  while (times.length < 2 || (spent < 0.05 && times.length < 20)) {
    const seconds = clock(workload)
    times.push(seconds)
    spent += seconds
  }
  return Math.min(...times)
}

/**
 * Gives the memory of workloads back that nobody holds any more. The collector does not see how much that is, and a
 * layer of 16,384 x 16,384 is a gigabyte; so it is called by hand (Node's --expose-gc).
 */
export async function releaseWorkloads(): Promise<void> {
  globalThis.gc?.()
  // Node runs the finalizers of the addon's objects in turns of their own.
  await setImmediate()
  await setImmediate()
}

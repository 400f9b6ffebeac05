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

/** Times a workload by Benchmark.js after a warm-up, for about `seconds`. */
export function measure(workload: Workload, seconds: number): Timing {
  for (let i = 0; i < 3; i++) workload()
  const benchmark = new Benchmark('workload', workload, { minTime: 0.02, maxTime: seconds, minSamples: 7 })
  benchmark.run({ async: false })
  const failure: unknown = (benchmark as unknown as { error?: unknown }).error
  if (failure) throw failure
  const sorted = benchmark.stats.sample.map((each) => each * 1000).sort((a, b) => a - b)
  return {
    milliseconds: quantile(sorted, 0.5),
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2,
    samples: sorted.length,
  }
}

/** The service, looked at once a second while it works. */
import { setTimeout } from 'node:timers/promises'

/** @returns samples until the signal is aborted: seconds, resident bytes, and of the event loop the p99 delay in ms */
export async function sample({ url, residentBytes }, signal) {
  const samples = []
  const began = performance.now()
  while (!signal.aborted) {
    const [bytes, metrics] = await Promise.all([residentBytes(), metricsOf(url)])
    samples.push({
      seconds: (performance.now() - began) / 1000,
      bytes,
      delay: 1000 * metrics.nodejs_eventloop_lag_p99_seconds,
      longest: 1000 * metrics.nodejs_eventloop_lag_max_seconds,
    })
    await setTimeout(1000, undefined, { signal }).catch(() => {})
  }
  return samples
}

/** All numbers that the service tells Prometheus, by name with labels. */
export async function metricsOf(url) {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/**
 * How much resident memory grew: the median over the last quarter of the samples less that over the second quarter. The
 * first quarter is left out: there heaps, caches and code take the size that they keep.
 */
export function growth(samples) {
  const quarter = Math.floor(samples.length / 4)
  const bytes = (from, to) => median(samples.slice(from, to).map((one) => one.bytes))
  return bytes(3 * quarter, samples.length) - bytes(quarter, 2 * quarter)
}

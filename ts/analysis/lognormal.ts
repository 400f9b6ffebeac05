/** A lognormal distribution fitted to counts by maximum likelihood. */
export interface LognormalFit {
  /** Mean of the logarithms. */
  mu: number
  /** Standard deviation of the logarithms, of the population. */
  sigma: number
  /**
   * Kolmogorov-Smirnov distance, 0..1: the largest difference between the share of counts up to a number and what the
   * fitted distribution says. Counts are whole, so it stays above half the share of the commonest one.
   */
  distance: number
  /** How many counts are above 0, and so were fitted. */
  fitted: number
}

/**
 * Fits a lognormal distribution to the counts above 0; null where there is none. Where all are equal, sigma is 0 and
 * the distance too.
 */
export function fitLognormal(counts: readonly number[]): LognormalFit | null {
  const logarithms = counts.filter((count) => count > 0).map(Math.log)
  const n = logarithms.length
  if (n === 0) return null
  logarithms.sort((a, b) => a - b)
  const first = logarithms[0]!
  if (first === logarithms[n - 1]!) return { mu: first, sigma: 0, distance: 0, fitted: n }
  const mu = logarithms.reduce((sum, value) => sum + value, 0) / n
  const sigma = Math.sqrt(logarithms.reduce((sum, value) => sum + (value - mu) ** 2, 0) / n)
  let distance = 0
  for (let below = 0; below < n; ) {
    const value = logarithms[below]!
    let upTo = below + 1
    while (upTo < n && logarithms[upTo] === value) upTo++
    const share = normalShare((value - mu) / sigma)
    distance = Math.max(distance, share - below / n, upTo / n - share)
    below = upTo
  }
  return { mu, sigma, distance, fitted: n }
}

/** Share of the standard normal distribution below z, to about 1e-15 (Marsaglia, Journal of Statistical Software 2004). */
export function normalShare(z: number): number {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0
  let sum = z
  for (let term = z, i = 3; ; i += 2) {
    term *= (z * z) / i
    if (sum + term === sum) break
    sum += term
  }
  return 0.5 + (sum * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI)
}

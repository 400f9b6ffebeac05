/** What the signed rank test finds. */
export interface SignedRank {
  /** Pairs that differ; the others are left out, as Wilcoxon did. */
  readonly n: number
  /** Sum of the ranks of the positive differences. */
  readonly statistic: number
  /** Two-sided and exact, also with ties. */
  readonly p: number
}

/**
 * Wilcoxon's signed rank test (1945) of paired differences. Differences of zero are left out; equal ones share the mean of
 * their ranks, and p is exact for these very ranks: the share of all 2^n ways to put signs to them whose sum is at least as
 * far from the middle. Without ties that is the usual exact test.
 *
 * @returns null where every difference is zero
 */
export function signedRank(differences: readonly number[]): SignedRank | null {
  const unequal = differences.filter((difference) => difference !== 0)
  const n = unequal.length
  if (n === 0) return null
  const ranks = doubledRanks(unequal.map(Math.abs))
  const total = ranks.reduce((sum, rank) => sum + rank, 0)
  const positive = ranks.reduce((sum, rank, i) => sum + (unequal[i]! > 0 ? rank : 0), 0)
  // share[s]: of all ways to sign the ranks so far, those whose positive ones add up to s.
  const share = new Float64Array(total + 1)
  share[0] = 1
  let reached = 0
  for (const rank of ranks) {
    reached += rank
    for (let s = reached; s >= 0; s--) share[s] = (share[s]! + (s >= rank ? share[s - rank]! : 0)) / 2
  }
  const tail = share
    .subarray(0, Math.min(positive, total - positive) + 1)
    .reduce((sum, part) => sum + part, 0)
  return { n, statistic: positive / 2, p: Math.min(1, 2 * tail) }
}

/** Twice the rank of each value, so that a mean rank is a whole number. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Array<number>(values.length)
  for (let first = 0; first < order.length; ) {
    let last = first
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last++
    for (let i = first; i <= last; i++) ranks[order[i]!] = first + last + 2
    first = last + 1
  }
  return ranks
}

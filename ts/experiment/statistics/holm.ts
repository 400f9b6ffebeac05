/**
 * Adjusted p values by Holm's step-down method (1979), which keeps the chance of any false finding among all of them below
 * the level: the k-th smallest of m is multiplied by m - k + 1, and none is smaller than the one before it.
 *
 * @param p null where there was no test, which stays so and does not count
 */
export function holm(p: readonly (number | null)[]): (number | null)[] {
  const order = p.flatMap((value, i) => (value === null ? [] : [i])).sort((a, b) => p[a]! - p[b]!)
  const adjusted: (number | null)[] = p.map(() => null)
  let largest = 0
  order.forEach((index, k) => {
    largest = Math.max(largest, Math.min(1, (order.length - k) * p[index]!))
    adjusted[index] = largest
  })
  return adjusted
}

import type { ProfileFamily } from '../../lib/index.js'
import { sum } from './support.js'

/** Profiles once more, straight from their formulas and as plainly as possible: what the tests compare with. */

/** f(u; s). `power` (1 - u)^-s and `logarithmic` take s as the documentation has it. */
export function f(family: ProfileFamily, u: number, s: number): number {
  switch (family) {
    case 'linear':
      return 1 + s * (2 * u - 1)
    case 'power':
      return u ** s
    case 'exponential':
      return Math.exp(s * u)
    case 'logarithmic':
      return Math.log1p(s * u)
    case 'logistic':
      return 1 / (1 + Math.exp(-s * (u - 0.5)))
    case 'gaussian':
      return Math.exp(-s * (u - 0.5) ** 2)
    case 'sinusoidal':
      return 1 + s * Math.sin(2 * Math.PI * u)
    case 'quadratic':
      return 1 + s * (2 * u - 1) ** 2
    case 'lognormal':
      return Math.exp(s * probit(u))
    case 'powerLaw':
      return (1 - u) ** -s
  }
}

const quantiles = new Map<number, number>()

/** The normal quantile by Simpson's rule and bisection. */
function probit(u: number): number {
  const known = quantiles.get(u) ?? quantile(u)
  quantiles.set(u, known)
  return known
}

function quantile(u: number): number {
  const share = (x: number): number => {
    const n = 200
    let area = 0
    for (let i = 0; i <= n; i++) {
      const weight = i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2
      area += weight * Math.exp(-(((x * i) / n) ** 2) / 2)
    }
    return 0.5 + (area * x) / n / 3 / Math.sqrt(2 * Math.PI)
  }
  let below = -8
  let above = 8
  for (let i = 0; i < 60; i++) {
    const middle = (below + above) / 2
    if (share(middle) < u) below = middle
    else above = middle
  }
  return (below + above) / 2
}

/** f of every neuron, scaled so that, clamped, it adds up to the connections. */
export function realFanIn(weights: readonly number[], inputs: number, connections: number): number[] {
  const lowest = connections < weights.length ? 0 : 1
  const at = (logScale: number) =>
    weights.map((weight) => Math.min(inputs, Math.max(lowest, Math.exp(logScale) * weight)))
  let below = -300
  let above = 300
  for (let i = 0; i < 70; i++) {
    const middle = (below + above) / 2
    if (sum(at(middle)) < connections) below = middle
    else above = middle
  }
  return at((below + above) / 2)
}

/** Largest remainder; of equals, the first. */
export function rounded(values: readonly number[], connections: number): number[] {
  const counts = values.map((value) => Math.floor(value + 1e-9))
  const byRemainder = [...values.keys()].sort(
    (a, b) => values[b]! - counts[b]! - (values[a]! - counts[a]!) || a - b,
  )
  for (const i of byRemainder.slice(0, connections - sum(counts))) counts[i]!++
  return counts
}

/** Shapes all over a family's branch. */
export function shapes(family: ProfileFamily, count: number): number[] {
  const steps = Array.from({ length: count }, (_, i) => (i + 0.5) / count)
  if (family === 'linear' || family === 'sinusoidal') return steps
  if (family === 'logarithmic') return steps.map((step) => Math.exp(40 * step - 15))
  if (family === 'quadratic') return steps.map((step) => Math.exp(14 * step - 4))
  if (family === 'gaussian') return steps.map((step) => Math.exp(9 * step - 3))
  return steps.map((step) => Math.exp(6 * step - 3))
}

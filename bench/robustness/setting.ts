import { availableParallelism } from 'node:os'
import { loadEspalier } from '../espalier.js'

// The network and the task that robustness is measured on: drawn digits, layers of 1024, batch 128, all processors.

export const { dense, digits, Network, rigl, sgd, sparse, usage } = await loadEspalier()

export const threads = availableParallelism()

export const wide = (inputs: number, seed = 1) =>
  new Network({
    inputs,
    layers: [sparse(1024, { activation: 'relu' }), sparse(1024, { activation: 'relu' }), dense(10)],
    sparsity: 0.9,
    seed,
  })

export const training = {
  batchSize: 128,
  optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
  rewire: rigl({ every: 100 }),
  threads,
} as const

/** What was measured, what was asked for, and whether the one meets the other. */
export interface Finding {
  what: string
  measured: string
  wanted: string
  met: boolean
}

export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!
}

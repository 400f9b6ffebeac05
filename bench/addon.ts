import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

export type Product = 'forward' | 'inputGradient' | 'weightGradient'
export const products: readonly Product[] = ['forward', 'inputGradient', 'weightGradient']

export interface ProductOptions {
  outputs: number
  inputs: number
  batch: number
  threads: number
  product: Product
}

export interface StepOptions {
  sizes: readonly number[]
  batch: number
  threads: number
}

interface Sparse {
  sparsity: number
  block: readonly [number, number]
}

interface Dense {
  /** The project's own threads take a slice of each product, instead of OpenBLAS's threads. */
  sliced: boolean
}

/** Does the work once. */
export type Workload = () => void

/** The benchmark's own native addon, built beside the package's. */
export interface BenchAddon {
  /** Version and kernels of OpenBLAS; throws where the library cannot be opened. */
  describeOpenBlas(): string
  denseProduct(options: ProductOptions & Dense): Workload
  sparseProduct(options: ProductOptions & Sparse): Workload
  denseStep(options: StepOptions & Dense): Workload
  sparseStep(options: StepOptions & Sparse): Workload
  instructionSet(): string
}

/** The repository, seen from build/bench where this file is run. */
export const repository = join(import.meta.dirname, '..', '..')

export function loadBenchAddon(): BenchAddon {
  const path = join(repository, 'build', 'Release', 'espalier_bench.node')
  if (!existsSync(path)) throw new Error(`${path} is missing; "npm run build" makes it`)
  return createRequire(import.meta.url)(path) as BenchAddon
}

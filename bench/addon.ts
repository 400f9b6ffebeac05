import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

export type Product = 'forward' | 'inputGradient' | 'weightGradient'
export const products: readonly Product[] = ['forward', 'inputGradient', 'weightGradient']

/** What the sparse side is timed in: of single weights both gradients are one. */
export type Part = Product | 'backward'
export const partsOf = (singleWeights: boolean): readonly Part[] =>
  singleWeights ? ['forward', 'backward'] : products

/** What activations are rounded to before they are multiplied; sums and weights are float32 always. */
export type Precision = 'float32' | 'bfloat16'

export type LibraryName = 'OpenBLAS' | 'BLIS' | 'oneDNN'

/** A library of dense products that this machine has. */
export interface Library {
  name: LibraryName
  /** Version, build and the kernels in use. */
  description: string
}

export interface Libraries {
  found: readonly Library[]
  /** Those that cannot be opened, and why. */
  missing: readonly { name: LibraryName; reason: string }[]
}

export interface LayerShape {
  outputs: number
  inputs: number
  batch: number
  threads: number
}

/** One product of one layer. */
export interface ProductShape extends LayerShape {
  product: Product
}

/** A multi-layer perceptron. */
export interface NetworkShape {
  /** Inputs, hidden layers, outputs: at least two. */
  sizes: readonly number[]
  /** Samples of a step or of one inference. */
  batch: number
  threads: number
}

/** What makes a layer or a network sparse; the last layer of a network is dense. */
export interface Sparse {
  /** 0 up to, but not including, 1. */
  sparsity: number
  /** Outputs x inputs of a block, as in [4, 1]. */
  block: readonly [number, number]
}

/** How close arithmetic keeps to float32. */
export interface Rounded {
  /** Default: float32. */
  precision?: Precision
}

/** Where dense products come from. */
export interface Dense {
  /** One that libraries() has found. */
  library: LibraryName
  /** The project's own threads take a slice of each product, instead of the library's threads. */
  sliced: boolean
}

/**
 * Whether the weights of a dense network are masked: a mask of zeros and ones, drawn at random at this sparsity, is
 * multiplied with the gradient before the update and with the weights after it, within the one walk of the update.
 */
export type Mask = { masked: false } | { masked: true; sparsity: number }

export interface Epoch {
  /** Samples of the epoch, at least one batch; the last batch may be smaller. */
  samples: number
}

export type RewiringRule = 'set' | 'rigl'

/** What the machine can do at best, all threads together, each on numbers of its own. */
export interface Ceilings {
  /** Fused multiply-adds of float32 on registers, two operations each, in 10^9 a second. */
  fmaGflops: number
  /** Reading half of the first-level cache over and over, in 10^9 bytes a second. */
  firstLevelGBs: number
  /** The same of the second-level cache. */
  secondLevelGBs: number
  /** The same of the third-level cache, divided among the threads; not told where it has no room beside the second. */
  thirdLevelGBs?: number
  /** Reading 256 MB from memory, divided among the threads. */
  memoryGBs: number
}

/** Does the work once, and returns when it is done. */
export type Workload = () => void

/** The benchmark's own native addon, built beside the package's. Every function throws where an option is impossible. */
export interface BenchAddon {
  /** The project's kernels in use: baseline, avx2, avx512, avx512bf16, amx or neon. */
  instructionSet(): string
  /** Bytes outside its heap that V8 knows of in this isolate, addons' memory included; `process.memoryUsage()` leaves that out. */
  externalMemory(): number
  /** The first call opens the libraries, each told to use the best kernels that the processor has. */
  libraries(): Libraries
  /**
   * Lets every thread of the process, libraries' threads included, run on the first `count` of the processors that the
   * process may use, and on no other; threads and processes to come inherit it. False where the system cannot (not
   * Linux). Workloads need no such call: each gives every thread of its team a processor of its own, and leaves the
   * calling thread bound to the first one. Call it after them, with the number of all processors, before anything else
   * is to use more than one.
   */
  bindToProcessors(count: number): boolean
  /** Takes one or two seconds; places threads as workloads do. */
  ceilings(threads: number): Ceilings
  /**
   * Nanoseconds that a number takes from one thread to the next, each on a processor of its own; 0 for one thread. Takes
   * milliseconds, and places threads as workloads do.
   */
  handover(threads: number): number
  /**
   * Gigabytes a second that the slowest of the threads, each on a processor of its own, reads from its second-level cache.
   * Takes milliseconds, and places threads as workloads do.
   */
  pace(threads: number): number

  /** One product of one layer on every weight. */
  denseProduct(options: ProductShape & Dense): Workload
  /** The same product on the connections alone, by the project's kernels. */
  sparseProduct(options: ProductShape & Sparse): Workload
  /**
   * Input and weight gradient of single weights, as a layer of a network computes them: at once or apart, threads taking a
   * part of the batch or of the columns each.
   */
  sparseBackward(options: LayerShape & Sparse): Workload

  /**
   * A training step: ReLU, softmax cross-entropy, SGD with momentum, the batch gathered from 8,192 samples (`batch` of
   * them at most). Products come from the library, everything else from the project's own vector kernels.
   */
  denseStep(options: NetworkShape & Dense & Mask): Workload
  /** The same step of a sparse network, as training runs it. */
  sparseStep(options: NetworkShape & Sparse & Rounded): Workload

  /** All steps of one epoch, samples in an order of its own, with the loss of every step. */
  denseEpoch(options: NetworkShape & Dense & Mask & Epoch): Workload
  sparseEpoch(options: NetworkShape & Sparse & Rounded & Epoch): Workload

  /**
   * One rewiring of every sparse layer, 30 % of its connections: SET drops by sign and grows at random, RigL drops by
   * magnitude and grows by the gradients of one step that was made beforehand.
   */
  rewiring(options: NetworkShape & Sparse & { rule: RewiringRule }): Workload

  /** From `batch` samples in host memory to their class probabilities; a single sample by the library's sgemv. */
  denseInference(options: NetworkShape & Dense): Workload
  sparseInference(options: NetworkShape & Sparse & Rounded): Workload
}

/** The repository, seen from build/bench where this file is run. */
export const repository = join(import.meta.dirname, '..', '..')

export function loadBenchAddon(): BenchAddon {
  const path = join(repository, 'build', 'Release', 'espalier_bench.node')
  if (!existsSync(path)) throw new Error(`${path} is missing; "npm run build" makes it`)
  return createRequire(import.meta.url)(path) as BenchAddon
}

import { type BenchAddon, type Product, products } from './addon.js'
import { measure, type Timing } from './measure.js'

export type BlockName = '1x1' | '4x1' | '4x4' | '8x8'
export const blocks: readonly BlockName[] = ['1x1', '4x1', '4x4', '8x8']

export interface BenchRecord {
  suite: 'products' | 'step'
  /** products: outputs x inputs of the layer, forward, input gradient and weight gradient together; step: layer sizes. */
  shape: string
  batch: number
  sparsity: number
  block: BlockName
  threads: number
  instructionSet: string
  milliseconds: number
  denseMilliseconds: number | null
  /** Null where OpenBLAS is not installed; then there is no speed-up to tell. */
  denseLibrary: string | null
  speedup: number | null
  /** Half the distance between the quartiles of each of the two times. */
  spread: number
  denseSpread: number | null
}

export interface Plan {
  sizes: readonly number[]
  productBatch: number
  stepSizes: readonly number[]
  stepBatch: number
  sparsities: readonly number[]
  threads: readonly number[]
  /** For each timing. */
  seconds: number
}

function blockOf(name: BlockName): [number, number] {
  const [rows, columns] = name.split('x').map(Number)
  return [rows ?? 1, columns ?? 1]
}

function sum(timings: readonly Timing[]): Timing {
  const total = (pick: (timing: Timing) => number) => timings.reduce((a, b) => a + pick(b), 0)
  return {
    milliseconds: total((t) => t.milliseconds),
    spread: total((t) => t.spread),
    samples: total((t) => t.samples),
  }
}

/** The faster of OpenBLAS with its own threads and of slices by the project's threads: the baseline gets its best. */
function fastest(threads: number, time: (sliced: boolean) => Timing): Timing {
  const own = time(false)
  if (threads === 1) return own
  const sliced = time(true)
  return sliced.milliseconds < own.milliseconds ? sliced : own
}

type Report = (record: BenchRecord) => void

function recordOf(
  addon: BenchAddon,
  library: string | null,
  what: Pick<BenchRecord, 'suite' | 'shape' | 'batch' | 'sparsity' | 'block' | 'threads'>,
  sparse: Timing,
  dense: Timing | null,
): BenchRecord {
  return {
    ...what,
    instructionSet: addon.instructionSet(),
    milliseconds: sparse.milliseconds,
    denseMilliseconds: dense?.milliseconds ?? null,
    denseLibrary: library,
    speedup: dense === null ? null : dense.milliseconds / sparse.milliseconds,
    spread: sparse.spread,
    denseSpread: dense?.spread ?? null,
  }
}

/** The three products of one layer, against the same products on every weight. */
export function runProducts(addon: BenchAddon, plan: Plan, library: string | null, report: Report): void {
  for (const size of plan.sizes) {
    for (const threads of plan.threads) {
      const shape = { outputs: size, inputs: size, batch: plan.productBatch, threads }
      const overProducts = (time: (product: Product) => Timing) => sum(products.map(time))
      for (const block of blocks) {
        // Measured anew beside each block shape, so that a machine whose speed drifts drifts for both.
        const dense =
          library === null
            ? null
            : overProducts((product) =>
                fastest(threads, (sliced) =>
                  measure(addon.denseProduct({ ...shape, product, sliced }), plan.seconds),
                ),
              )
        for (const sparsity of plan.sparsities) {
          const sparse = overProducts((product) =>
            measure(
              addon.sparseProduct({ ...shape, product, sparsity, block: blockOf(block) }),
              plan.seconds,
            ),
          )
          const what = {
            suite: 'products',
            shape: `${size}x${size}`,
            batch: shape.batch,
            sparsity,
            block,
            threads,
          } as const
          report(recordOf(addon, library, what, sparse, dense))
        }
      }
    }
  }
}

/** A whole training step: ReLU network, softmax cross-entropy, SGD with momentum. */
export function runSteps(addon: BenchAddon, plan: Plan, library: string | null, report: Report): void {
  for (const threads of plan.threads) {
    const shape = { sizes: plan.stepSizes, batch: plan.stepBatch, threads }
    for (const block of blocks) {
      const dense =
        library === null
          ? null
          : fastest(threads, (sliced) => measure(addon.denseStep({ ...shape, sliced }), plan.seconds * 2))
      for (const sparsity of plan.sparsities) {
        const sparse = measure(
          addon.sparseStep({ ...shape, sparsity, block: blockOf(block) }),
          plan.seconds * 2,
        )
        const what = {
          suite: 'step',
          shape: plan.stepSizes.join('-'),
          batch: shape.batch,
          sparsity,
          block,
          threads,
        } as const
        report(recordOf(addon, library, what, sparse, dense))
      }
    }
  }
}

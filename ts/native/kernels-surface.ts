import type { InstructionSet, NativeDensity, NativeProfileFamily } from './surface.js'

/** A block CSR matrix on typed arrays. `columns` count blocks of inputs. */
export interface NativeMatrix {
  rows: number
  columns: number
  block: readonly [number, number]
  rowOffsets: BigInt64Array
  columnIndices: Int32Array
  values: Float32Array
}

type NativeProduct = (
  matrix: NativeMatrix,
  input: Float32Array,
  batch: number,
  out: Float32Array,
  threads: number,
  instructionSet: InstructionSet | null,
  precision: 'float32' | 'bfloat16',
) => void

/** One layer of the dense network that SNIP looks at: gradient and weights are rows x columns, row-major. */
export interface NativeSnipLayer {
  rows: number
  columns: number
  block: readonly [number, number]
  gradient: Float32Array
  weights: Float32Array
  /** Blocks to keep. */
  blocks: number
}

/** The parts of rewiring rules that work on one layer's arrays; dense gradients are rows x columns, row-major. */
export interface NativeRewireKernels {
  /** CH3-L3 of every block position, block row by block row; of no meaning where there is a link. */
  linkScores(matrix: NativeMatrix): Float64Array
  /** CHT growth, or with a temperature CHTs: block positions that are not in the pattern, ascending. */
  growByLinks(
    matrix: NativeMatrix,
    count: number,
    temperature: number | null,
    seed: number,
    threads: number,
  ): BigInt64Array
  /** |w| + lambda |g| of each entry, by norms for blocks. */
  mestImportance(matrix: NativeMatrix, gradient: Float32Array, lambda: number): Float32Array
  /** One rewiring by SRigL: entries to drop, positions to grow, and block rows that are removed. */
  srigl(
    matrix: NativeMatrix,
    gradient: Float32Array,
    options: {
      fraction: number
      minimumSalient: number
      /** Blocks that the layer may have. */
      budget: number
      /** Block rows that can only be removed together. */
      group: number
      /** Block rows that must live in any case. */
      leastLiving: number
      /** Block columns in which nothing may be; one flag for each, or empty. */
      emptyColumns: readonly boolean[]
    },
  ): { dropped: Int32Array; grown: BigInt64Array; removed: Int32Array }
  /** SNFS: `total` blocks in proportion to momentum, none beyond the room that there is. */
  redistribute(total: number, momentum: readonly number[], room: readonly number[]): number[]
  /** SNIP: block positions to keep in each layer, ascending. */
  mostSensitive(layers: readonly NativeSnipLayer[], budget: 'layer' | 'network'): BigInt64Array[]
}

/** The functions of the addon on typed arrays, behind `espalier/kernels`. */
export interface NativeKernels extends NativeRewireKernels {
  /** out[rows x batch] = matrix x input[columns x batch], both row-major (feature-major). */
  spmm: NativeProduct
  /** out[columns x batch] = transpose(matrix) x input[rows x batch]. */
  spmmTransposed: NativeProduct
  /** out[i] = dot(gradient row, input row) at each stored position; same order as values. */
  sddmm(
    matrix: NativeMatrix,
    gradient: Float32Array,
    input: Float32Array,
    batch: number,
    out: Float32Array,
    threads: number,
    instructionSet: InstructionSet | null,
    precision: 'float32' | 'bfloat16',
  ): void
  /** spmmTransposed of the gradient and sddmm at once, in the same bits: what a layer of blocks of 1 x 1 does. */
  backward(
    matrix: NativeMatrix,
    gradient: Float32Array,
    input: Float32Array,
    batch: number,
    inputGradient: Float32Array,
    weightGradient: Float32Array,
    threads: number,
    instructionSet: InstructionSet | null,
    precision: 'float32' | 'bfloat16',
  ): void
  /** The transposed matrix (block [c, r]). */
  transpose(matrix: NativeMatrix): {
    rowOffsets: BigInt64Array
    columnIndices: Int32Array
    values: Float32Array
  }
  /**
   * RigL growth: among the block positions that are not in the pattern, the `count` with the largest norm of
   * gradient x transpose(input). Returns block positions (block row x block columns + block column), ascending.
   */
  growByGradient(
    matrix: NativeMatrix,
    gradient: Float32Array,
    input: Float32Array,
    batch: number,
    count: number,
    threads: number,
  ): BigInt64Array
  /** SET growth: `count` distinct block positions that are not in the pattern, uniformly; ascending. */
  growAtRandom(matrix: NativeMatrix, count: number, seed: number, stream: number): BigInt64Array
  /** Indices of the `count` entries to drop, ascending: see NativeRewire.prune. */
  prune(matrix: NativeMatrix, count: number, rule: 'magnitude'): Int32Array
  pruneBySign(matrix: NativeMatrix, fraction: number): Int32Array
  /** Block CSR pattern of exactly `blocks` positions drawn without replacement. */
  randomPattern(
    rows: number,
    columns: number,
    block: readonly [number, number],
    blocks: number,
    seed: number,
    stream: number,
  ): { rowOffsets: BigInt64Array; columnIndices: Int32Array }
  /** Number of connections of each sparse layer, [inputs, outputs] each. */
  layerConnections(
    sizes: readonly (readonly [number, number])[],
    sparsity: number,
    topology: NativeDensity,
  ): number[]
  /** Fan-in of each neuron by a profile, and the coefficient of variation of it. */
  profileFanIn(
    family: NativeProfileFamily,
    cv: number,
    outputs: number,
    inputs: number,
    connections: number,
  ): { counts: Int32Array; cv: number }
}

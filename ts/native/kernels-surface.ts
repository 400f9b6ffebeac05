import type { InstructionSet, NativeTopology } from './surface.js'

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

/** The functions of the addon on typed arrays, behind `espalier/kernels`. */
export interface NativeKernels {
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
    topology: NativeTopology,
  ): number[]
}

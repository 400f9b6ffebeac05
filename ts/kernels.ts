/**
 * The operations that training is made of, on typed arrays: call them, measure them, build on them.
 *
 * Activations are feature-major: a matrix of features x batch, row-major, so that the samples of one feature are
 * neighbours. Every function checks before it touches memory: ERR_ESPALIER_OPTION names an argument of the wrong type,
 * length or range, ERR_ESPALIER_DATA what is wrong inside a matrix.
 */
import { z } from 'zod'
import { EspalierError } from './errors.js'
import { type Block, type BlockOption, blockSchema } from './model/block.js'
import type { NativeMatrix } from './native/kernels-surface.js'
import { addon, guarded } from './native/loader.js'
import type { InstructionSet } from './native/surface.js'
import { erdosRenyi } from './topology/erdos-renyi.js'
import { type RandomTopology, randomTopologySchema, toNativeDensity } from './topology/topology.js'
import { instance, MAX_THREADS, MAX_WIDTH, object, oneOf, parse, real, whole } from './validation.js'

export type { BlockOption, InstructionSet }

/** A block CSR matrix of rows x columns. */
export interface SparseMatrix {
  /** Outputs. */
  readonly rows: number
  /** Inputs. */
  readonly columns: number
  /** Rows x columns of a block. Default [1, 1], plain CSR. */
  readonly block?: Block
  /** ceil(rows / r) + 1 offsets into columnIndices, from 0, never falling. */
  readonly rowOffsets: BigInt64Array
  /** Block column of each entry; ascending within a block row, without repetition. */
  readonly columnIndices: Int32Array
  /** r x c values an entry, row-major in the block; what lies beyond the matrix's border is padding and zero. */
  readonly values: Float32Array
}

/** Positions of a block CSR matrix without values. */
export type SparsePattern = Pick<SparseMatrix, 'rowOffsets' | 'columnIndices'>

/** How many threads a product may use. */
export interface ThreadOptions {
  /** 1 to 256. Default 1. The result does not depend on it. */
  threads?: number
}

/** Options of a product. */
export interface ProductOptions extends ThreadOptions {
  /** Which kernels to use, one of `instructionSets()`. Default: the best of this machine. */
  instructionSet?: InstructionSet
  /**
   * 'bfloat16' rounds dense factors to bfloat16 before they are multiplied, which is faster where fetching them is what
   * takes the time; stored values and sums are float32. Default 'float32'.
   */
  precision?: 'float32' | 'bfloat16'
  /** Where the result goes; must have exactly its length. Default: newly allocated. */
  out?: Float32Array
}

/** What decides the random numbers of a call. */
export interface RandomOptions {
  /** A whole number >= 0. Default 0. */
  seed?: number
  /** Tells apart draws that share a seed, a whole number >= 0. Default 0. */
  stream?: number
}

/** Options of `randomPattern`. */
export interface RandomPatternOptions extends RandomOptions {
  /** Outputs. */
  rows: number
  /** Inputs. */
  columns: number
  /** Entries to draw, 1 or more and at most as many as there are block positions. */
  blocks: number
  /** Default '1x1'. */
  block?: BlockOption
}

/** Options of `layerConnections`. */
export interface LayerConnectionsOptions {
  /** Share of absent weights over all layers, 0 <= sparsity < 1. Default 0.9. */
  sparsity?: number
  /** Default `erdosRenyi()`. */
  topology?: RandomTopology
}

const count = whole({ from: 0 })
const width = whole({ from: 1, to: MAX_WIDTH })
const threads = whole({ from: 1, to: MAX_THREADS }).default(1)
const floats = array(Float32Array)

const matrixSchema = object({
  rows: width,
  columns: width,
  block: blockSchema.prefault([1, 1]),
  rowOffsets: array(BigInt64Array),
  columnIndices: array(Int32Array),
  values: floats,
})
const threadOptions = object({ threads })
const productOptions = object({
  threads,
  instructionSet: oneOf(['baseline', 'avx2', 'avx512', 'avx512bf16', 'amx', 'neon']).optional(),
  precision: oneOf(['float32', 'bfloat16']).default('float32'),
  out: floats.optional(),
})
const randomShape = { seed: count.default(0), stream: count.default(0) }
const randomOptions = object(randomShape)
const patternOptions = object({
  rows: width,
  columns: width,
  blocks: whole({ from: 1 }),
  block: blockSchema.prefault([1, 1]),
  ...randomShape,
})
const connectionsOptions = object({
  sparsity: real({ from: 0, below: 1 }).default(0.9),
  topology: randomTopologySchema.prefault(erdosRenyi()),
})
const sizesSchema = z.array(z.tuple([width, width], { error: '[inputs, outputs]' }), {
  error: 'a list of [inputs, outputs]',
})

/** The instruction sets that this machine can run, slowest first. */
export function instructionSets(): InstructionSet[] {
  return guarded(() => addon().system().instructionSets)
}

/**
 * Sparse x dense: out = matrix x input, the forward product of a layer.
 *
 * @param input columns x batch; batch follows from its length
 * @returns rows x batch
 */
export function spmm(matrix: SparseMatrix, input: Float32Array, options: ProductOptions = {}): Float32Array {
  const native = readMatrix('spmm', matrix)
  const { threads, instructionSet, precision, out } = parse('spmm', productOptions, options)
  const batch = batchOf('spmm', 'input', input, native.columns, 'columns')
  const result = resultOf('spmm', out, native.rows * batch, 'rows x batch')
  guarded(() =>
    addon().kernels.spmm(native, input, batch, result, threads, instructionSet ?? null, precision),
  )
  return result
}

/**
 * Transposed sparse x dense: out = transpose(matrix) x input, which gives a layer's input gradient.
 *
 * @param input rows x batch; batch follows from its length
 * @returns columns x batch
 */
export function spmmTransposed(
  matrix: SparseMatrix,
  input: Float32Array,
  options: ProductOptions = {},
): Float32Array {
  const native = readMatrix('spmmTransposed', matrix)
  const { threads, instructionSet, precision, out } = parse('spmmTransposed', productOptions, options)
  const batch = batchOf('spmmTransposed', 'input', input, native.rows, 'rows')
  const result = resultOf('spmmTransposed', out, native.columns * batch, 'columns x batch')
  guarded(() =>
    addon().kernels.spmmTransposed(native, input, batch, result, threads, instructionSet ?? null, precision),
  )
  return result
}

/**
 * Sampled dense x dense: (gradient x transpose(input)) at the positions of the matrix only, which gives a layer's
 * weight gradient. The values of the matrix are not looked at.
 *
 * @param gradient rows x batch
 * @param input columns x batch
 * @returns as many numbers as the matrix has values, in the same order
 */
export function sddmm(
  matrix: SparseMatrix,
  gradient: Float32Array,
  input: Float32Array,
  options: ProductOptions = {},
): Float32Array {
  const native = readMatrix('sddmm', matrix)
  const { threads, instructionSet, precision, out } = parse('sddmm', productOptions, options)
  const batch = batchOfPair('sddmm', native, gradient, input)
  const result = resultOf('sddmm', out, native.values.length, 'the length of values')
  guarded(() =>
    addon().kernels.sddmm(native, gradient, input, batch, result, threads, instructionSet ?? null, precision),
  )
  return result
}

/** The transposed matrix, columns x rows, with block [c, r]. */
export function transpose(matrix: SparseMatrix): SparseMatrix {
  const native = readMatrix('transpose', matrix)
  const [rows, columns] = native.block
  const parts = guarded(() => addon().kernels.transpose(native))
  return { rows: native.columns, columns: native.rows, block: [columns, rows], ...parts }
}

/**
 * Growth of RigL (Evci et al., 2020): among the block positions that the matrix does not have, the `count` with the
 * largest norm of gradient x transpose(input); of equals, the first. The dense product is streamed, never held.
 *
 * @param gradient rows x batch
 * @param input columns x batch
 * @returns block row x block columns + block column of each, ascending
 */
export function growByGradient(
  matrix: SparseMatrix,
  gradient: Float32Array,
  input: Float32Array,
  count: number,
  options: ThreadOptions = {},
): BigInt64Array {
  const native = readMatrix('growByGradient', matrix)
  const { threads } = parse('growByGradient', threadOptions, options)
  const batch = batchOfPair('growByGradient', native, gradient, input)
  const wanted = readCount('growByGradient', count)
  return guarded(() => addon().kernels.growByGradient(native, gradient, input, batch, wanted, threads))
}

/**
 * Growth of SET (Mocanu et al., 2018): `count` distinct block positions that the matrix does not have, uniformly at
 * random; the same for the same seed and stream on every machine.
 *
 * @returns block row x block columns + block column of each, ascending
 */
export function growAtRandom(
  matrix: SparseMatrix,
  count: number,
  options: RandomOptions = {},
): BigInt64Array {
  const native = readMatrix('growAtRandom', matrix)
  const { seed, stream } = parse('growAtRandom', randomOptions, options)
  const wanted = readCount('growAtRandom', count)
  return guarded(() => addon().kernels.growAtRandom(native, wanted, seed, stream))
}

/**
 * The `count` entries of least magnitude (of least norm, for blocks); of equals, the later ones.
 *
 * @returns indices into columnIndices, ascending
 */
export function prune(matrix: SparseMatrix, count: number): Int32Array {
  const native = readMatrix('prune', matrix)
  const wanted = readCount('prune', count)
  return guarded(() => addon().kernels.prune(native, wanted, 'magnitude'))
}

/**
 * SET's own choice: the fraction of the negative entries nearest zero and the same fraction of the positive ones.
 *
 * @param fraction 0 to 1
 * @returns indices into columnIndices, ascending
 */
export function pruneBySign(matrix: SparseMatrix, fraction: number): Int32Array {
  const native = readMatrix('pruneBySign', matrix)
  const share = parse('pruneBySign', object({ fraction: real({ from: 0, to: 1 }) }), { fraction }).fraction
  return guarded(() => addon().kernels.pruneBySign(native, share))
}

/** A pattern of exactly `blocks` entries drawn without replacement, the same for the same seed and stream. */
export function randomPattern(options: RandomPatternOptions): SparsePattern {
  const { rows, columns, block, blocks, seed, stream } = parse('randomPattern', patternOptions, options)
  return guarded(() => addon().kernels.randomPattern(rows, columns, block, blocks, seed, stream))
}

/**
 * How many connections each layer gets.
 *
 * @param sizes [inputs, outputs] of each sparse layer
 * @returns as many numbers
 */
export function layerConnections(
  sizes: readonly (readonly [inputs: number, outputs: number])[],
  options: LayerConnectionsOptions = {},
): number[] {
  const call = 'layerConnections'
  const { sparsity, topology } = parse(call, connectionsOptions, options)
  const pairs = parse(call, object({ sizes: sizesSchema }), { sizes }).sizes
  return guarded(() => addon().kernels.layerConnections(pairs, sparsity, toNativeDensity(topology)))
}

type TypedArrayConstructor = Float32ArrayConstructor | Int32ArrayConstructor | BigInt64ArrayConstructor

function array<Constructor extends TypedArrayConstructor>(type: Constructor) {
  const test = (value: unknown): value is InstanceType<Constructor> => value instanceof type
  return instance(test, `a ${type.name}`)
}

function readMatrix(call: string, matrix: SparseMatrix): NativeMatrix {
  return parse(call, object({ matrix: matrixSchema }), { matrix }).matrix
}

function readCount(call: string, value: number): number {
  return parse(call, object({ count }), { count: value }).count
}

function batchOfPair(
  call: string,
  matrix: NativeMatrix,
  gradient: Float32Array,
  input: Float32Array,
): number {
  const batch = batchOf(call, 'gradient', gradient, matrix.rows, 'rows')
  const other = batchOf(call, 'input', input, matrix.columns, 'columns')
  if (batch === other) return batch
  throw new EspalierError(
    'ERR_ESPALIER_OPTION',
    `${call}: gradient has a batch of ${batch}, input one of ${other}`,
  )
}

function batchOf(call: string, name: string, values: Float32Array, features: number, side: string): number {
  parse(call, object({ [name]: floats }), { [name]: values })
  if (values.length > 0 && values.length % features === 0) return values.length / features
  throw new EspalierError(
    'ERR_ESPALIER_OPTION',
    `${call}: ${name} has length ${values.length}; allowed: ${side} x batch, a multiple of ${features}`,
  )
}

function resultOf(call: string, out: Float32Array | undefined, length: number, shape: string): Float32Array {
  if (out === undefined) return new Float32Array(length)
  if (out.length === length) return out
  throw new EspalierError(
    'ERR_ESPALIER_OPTION',
    `${call}: out has length ${out.length}; allowed: ${shape} = ${length}`,
  )
}

import type { NumberArray } from '../data/readers/numbers.js'
import { EspalierError } from '../errors.js'
import { type BlockOption, blockSchema } from '../model/block.js'
import { type LayerPattern, patternOf, tensorOf } from '../model/pattern.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import { object, parse } from '../validation.js'

/** A sparse matrix by rows (CSR). An element that is stored exists, also where it is 0. */
export interface SparseMatrix<Values extends NumberArray = NumberArray> {
  readonly shape: readonly [rows: number, columns: number]
  /** rows + 1 positions in `columnIndices` and `values`. */
  readonly rowOffsets: BigInt64Array
  /** Ascending in a row, none twice. */
  readonly columnIndices: Int32Array
  /** One for each element. */
  readonly values: Values
}

/**
 * The weights of a sparse layer as outputs x inputs, blocks taken apart into single weights: what PyTorch and SciPy
 * multiply a column of inputs by.
 *
 * @param layerIndex index in `layers`
 * @throws ERR_ESPALIER_OPTION when that layer is not sparse
 */
export function layerMatrix(snapshot: NetworkSnapshot, layerIndex: number): SparseMatrix<Float32Array> {
  const pattern = patternOf(snapshot, layerIndex)
  const { inputs, outputs, rowOffsets, columnIndices } = pattern
  const values = tensorOf(snapshot, `layers.${layerIndex}.values`, Float32Array)
  const [height, width] = pattern.block
  const shape = [outputs, inputs] as const
  if (height * width === 1) return { shape, rowOffsets, columnIndices, values }
  const offsets = new BigInt64Array(outputs + 1)
  const columns = new Int32Array(values.length)
  const weights = new Float32Array(values.length)
  let count = 0
  for (let output = 0; output < outputs; output++) {
    const blockRow = Math.floor(output / height)
    for (let entry = Number(rowOffsets[blockRow]); entry < Number(rowOffsets[blockRow + 1]); entry++) {
      const first = columnIndices[entry]! * width
      const from = (entry * height + (output % height)) * width
      const end = Math.min(width, inputs - first)
      for (let i = 0; i < end; i++, count++) {
        columns[count] = first + i
        weights[count] = values[from + i]!
      }
    }
    offsets[output + 1] = BigInt(count)
  }
  // Padding of blocks at the border is left behind.
  return {
    shape,
    rowOffsets: offsets,
    columnIndices: columns.slice(0, count),
    values: weights.slice(0, count),
  }
}

/**
 * Whether the arrays of a matrix fit together.
 *
 * @param call begins the message
 * @throws ERR_ESPALIER_OPTION
 */
export function checkMatrix(call: string, { shape, rowOffsets, columnIndices, values }: SparseMatrix): void {
  const [rows, columns] = shape
  const count = columnIndices.length
  const wrong = (what: string) =>
    new EspalierError('ERR_ESPALIER_OPTION', `${call}: a matrix of ${shape.join(' x ')} ${what}`)
  if (
    rowOffsets.length !== rows + 1 ||
    rowOffsets[0] !== 0n ||
    rowOffsets[rows] !== BigInt(count) ||
    values.length !== count
  ) {
    throw wrong(
      `has ${rowOffsets.length} offsets up to ${rowOffsets.at(-1)}, ${count} columns and ${values.length} values`,
    )
  }
  for (let row = 0; row < rows; row++) {
    let before = -1
    const end = Number(rowOffsets[row + 1])
    if (end < Number(rowOffsets[row]))
      throw wrong(`has an offset that is smaller than the one before it, in row ${row}`)
    for (let i = Number(rowOffsets[row]); i < end; i++) {
      const column = columnIndices[i]!
      if (column <= before || column >= columns)
        throw wrong(`has column ${column} after ${before} in row ${row}`)
      before = column
    }
  }
}

const patternOptions = object({ block: blockSchema.prefault([1, 1]) })

/**
 * The elements of a matrix of outputs x inputs as the connections of a layer, for `savedTopology([...])`.
 *
 * @param options.block blocks that hold an element exist whole; default '1x1'
 * @throws ERR_ESPALIER_OPTION
 */
export function matrixPattern(matrix: SparseMatrix, options: { block?: BlockOption } = {}): LayerPattern {
  const { block } = parse('matrixPattern', patternOptions, options)
  checkMatrix('matrixPattern', matrix)
  const [height, width] = block
  const [outputs, inputs] = matrix.shape
  const blockRows = Math.ceil(outputs / height)
  const rowOffsets = new BigInt64Array(blockRows + 1)
  const columns = new Int32Array(matrix.columnIndices.length)
  let count = 0
  for (let row = 0; row < blockRows; row++) {
    const from = Number(matrix.rowOffsets[row * height])
    const to = Number(matrix.rowOffsets[Math.min(outputs, (row + 1) * height)])
    const inRow = new Set<number>()
    for (let i = from; i < to; i++) inRow.add(Math.floor(matrix.columnIndices[i]! / width))
    for (const column of Int32Array.from(inRow).sort()) columns[count++] = column
    rowOffsets[row + 1] = BigInt(count)
  }
  return { inputs, outputs, block, rowOffsets, columnIndices: columns.slice(0, count) }
}

import type { NumberArray } from '../data/readers/numbers.js'
import type { SparseMatrix } from './sparse-matrix.js'

/** Elements of a matrix in any order. */
export interface Coordinates {
  readonly shape: readonly [rows: number, columns: number]
  readonly rows: Int32Array
  readonly columns: Int32Array
  readonly values: NumberArray
}

/** Two elements at one place. */
export class DuplicateElement extends Error {
  constructor(row: number, column: number) {
    super(`element (${row}, ${column}) is stored twice; call sum_duplicates() first`)
  }
}

/**
 * Sorts elements by row and column.
 *
 * @param coordinates all within the shape
 * @throws DuplicateElement
 */
export function toCsr({ shape, rows, columns, values }: Coordinates): SparseMatrix {
  const offsets = new Float64Array(shape[0] + 1)
  for (const row of rows) offsets[row + 1]!++
  for (let row = 0; row < shape[0]; row++) offsets[row + 1]! += offsets[row]!
  const next = offsets.slice()
  const order = new Uint32Array(rows.length)
  for (let i = 0; i < rows.length; i++) order[next[rows[i]!]!++] = i
  for (let row = 0; row < shape[0]; row++) {
    const [begin, end] = [offsets[row]!, offsets[row + 1]!]
    // Most rows of a matrix that is nearly empty need no look.
    if (end - begin > 1) sortRow(order.subarray(begin, end), row, columns)
  }
  const rowOffsets = new BigInt64Array(offsets.length)
  for (let row = 0; row < offsets.length; row++) rowOffsets[row] = BigInt(offsets[row]!)
  const columnIndices = new Int32Array(order.length)
  const sorted = values.slice(0, order.length)
  for (let i = 0; i < order.length; i++) {
    columnIndices[i] = columns[order[i]!]!
    sorted[i] = values[order[i]!]!
  }
  return { shape, rowOffsets, columnIndices, values: sorted }
}

/** Brings the elements of a row into the order of their columns, unless they are. */
function sortRow(order: Uint32Array, row: number, columns: Int32Array): void {
  const ascending = (from: Uint32Array) =>
    from.every((i, at) => at === 0 || columns[from[at - 1]!]! < columns[i]!)
  if (ascending(order)) return
  order.sort((a, b) => columns[a]! - columns[b]!)
  const twice = order.findIndex((i, at) => at > 0 && columns[order[at - 1]!] === columns[i])
  if (twice >= 0) throw new DuplicateElement(row, columns[order[twice]!]!)
}

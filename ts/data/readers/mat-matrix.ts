import { allocate } from '../memory.js'
import { elementAt, elementNumbers, readUint32, type Span, spanError } from './mat-element.js'
import { type Numbers, safeProduct } from './numbers.js'

const MI_UINT32 = 6

const SPARSE_CLASS = 5
/** Classes 6 to 15: double, single and the integers of 8 to 64 bits. */
const FIRST_NUMERIC_CLASS = 6
const LAST_NUMERIC_CLASS = 15
const CLASS_NAMES = ['', 'cell', 'struct', 'object', 'char']
const COMPLEX = 0x0800

/** A real matrix, column-major as MATLAB stores it. */
export interface MatMatrix {
  readonly rows: number
  readonly columns: number
  /** rows x columns, column-major. */
  readonly values: Numbers
}

interface Head {
  readonly matrixClass: number
  readonly complex: boolean
  readonly shape: Numbers
  readonly name: string
  /** Where the data elements start. */
  readonly next: number
}

/** The name of a matrix, without reading its data; '' for objects, whose layout is MATLAB's own affair. */
export function matrixName(span: Span): string {
  return readFlags(span).matrixClass > LAST_NUMERIC_CLASS ? '' : readHead(span).name
}

/** Reads a numeric matrix, dense or sparse. */
export function readMatrix(span: Span): MatMatrix {
  const { matrixClass, complex, shape, name, next } = readHead(span)
  const numeric = matrixClass >= FIRST_NUMERIC_CLASS && matrixClass <= LAST_NUMERIC_CLASS
  if (!numeric && matrixClass !== SPARSE_CLASS) {
    const given = CLASS_NAMES[matrixClass] ?? String(matrixClass)
    throw spanError(
      span,
      span.start,
      `the variable "${name}" is of class ${given}; it must be a numeric matrix`,
    )
  }
  if (complex) throw spanError(span, span.start, `the variable "${name}" is complex; it must be real`)
  if (shape.length !== 2) {
    throw spanError(span, span.start, `the variable "${name}" has ${shape.length} dimensions; it must have 2`)
  }
  const rows = shape[0]!
  const columns = shape[1]!
  const size = safeProduct([rows, columns])
  if (size === undefined) throw spanError(span, span.start, `the impossible size ${rows} x ${columns}`)
  if (matrixClass === SPARSE_CLASS) return { rows, columns, values: readSparse(span, next, rows, columns) }
  const element = elementAt(span, next)
  const values = elementNumbers(element)
  if (values.length !== size) {
    throw spanError(
      span,
      next,
      `${rows} x ${columns} values of "${name}" announced, ${values.length} are there`,
    )
  }
  return { rows, columns, values }
}

function readFlags(span: Span): { matrixClass: number; complex: boolean; next: number } {
  const flags = elementAt(span, span.start)
  if (flags.type !== MI_UINT32 || flags.data.end - flags.data.start !== 8) {
    throw spanError(span, span.start, 'a matrix must start with 8 bytes of array flags')
  }
  const word = readUint32(span, flags.data.start)
  return { matrixClass: word & 0xff, complex: (word & COMPLEX) !== 0, next: flags.next }
}

function readHead(span: Span): Head {
  const { matrixClass, complex, next } = readFlags(span)
  const shape = elementAt(span, next)
  const name = elementAt(span, shape.next)
  return {
    matrixClass,
    complex,
    shape: elementNumbers(shape),
    name: name.data.bytes.toString('latin1', name.data.start, name.data.end),
    next: name.next,
  }
}

/** Reads compressed sparse columns (row indices, column offsets, values) into a dense column-major matrix. */
function readSparse(span: Span, start: number, rows: number, columns: number): Float64Array {
  const rowElement = elementAt(span, start)
  const offsetElement = elementAt(span, rowElement.next)
  const valueElement = elementAt(span, offsetElement.next)
  const rowIndices = elementNumbers(rowElement)
  const offsets = elementNumbers(offsetElement)
  const numbers = elementNumbers(valueElement)
  if (offsets.length !== columns + 1) {
    throw spanError(span, rowElement.next, `${offsets.length} column offsets for ${columns} columns`)
  }
  const count = offsets[columns]!
  if (!(count <= rowIndices.length && count <= numbers.length)) {
    throw spanError(
      span,
      rowElement.next,
      `${count} entries announced, ${rowIndices.length} row indices and ${numbers.length} values are there`,
    )
  }
  const bytes = rows * columns * Float64Array.BYTES_PER_ELEMENT
  span.budget.take(bytes, `${rows} x ${columns} values of a sparse matrix`)
  const dense = allocate(() => new Float64Array(rows * columns), bytes, span.path)
  for (let column = 0; column < columns; column++) {
    const first = offsets[column]!
    const last = offsets[column + 1]!
    if (!(first <= last) || (column === 0 && first !== 0)) {
      throw spanError(span, rowElement.next, `the offsets of column ${column} run from ${first} to ${last}`)
    }
    for (let i = first; i < last; i++) {
      const row = rowIndices[i]!
      if (!Number.isInteger(row) || row < 0 || row >= rows) {
        throw spanError(span, start, `entry ${i} is in row ${row} of ${rows}`)
      }
      dense[column * rows + row] = numbers[i]!
    }
  }
  return dense
}

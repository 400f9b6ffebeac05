import { EspalierError } from '../../errors.js'
import { type MemoryBudget, sharedFloats } from '../memory.js'
import type { RawSamples } from '../samples.js'
import { budgetFor, formatError, inflate, readWhole } from './bytes.js'
import { elementAt, MI_COMPRESSED, MI_MATRIX, type Span } from './mat-element.js'
import { type MatMatrix, matrixName, readMatrix } from './mat-matrix.js'
import { toDoubles } from './numbers.js'

/** Which variables of a MAT file are read. */
export interface MatVariables {
  /** Samples x features. Default: 'X'. */
  readonly features?: string
  /** Labels, samples x 1 or 1 x samples; null for none. Default: 'Y'. */
  readonly labels?: string | null
}

/**
 * Reads samples from a MAT file of version 5 (what MATLAB's `save -v6` and `-v7` write): dense and sparse numeric
 * matrices of every type, compressed or not, in both byte orders.
 *
 * Source: MathWorks, "MAT-File Format", Level 5.
 *
 * @param maxBytes see `ReadOptions`
 * @throws ERR_ESPALIER_FORMAT naming file and byte offset; ERR_ESPALIER_NOT_FOUND for a variable that is not there.
 */
export async function readMatSamples(
  path: string,
  variables: MatVariables = {},
  signal?: AbortSignal,
  maxBytes?: number,
): Promise<RawSamples> {
  const { features: featureName = 'X', labels: labelName = 'Y' } = variables
  const wanted = labelName === null ? [featureName] : [featureName, labelName]
  const budget = await budgetFor(path, maxBytes)
  const { found, seen } = await readMatVariables(budget, wanted, signal)
  for (const name of wanted) {
    if (found.has(name)) continue
    throw new EspalierError(
      'ERR_ESPALIER_NOT_FOUND',
      `${path}: there is no variable "${name}"; the file holds ${seen.join(', ') || 'none'}`,
    )
  }
  const matrix = found.get(featureName)!
  const { rows, columns, values: byColumn } = matrix
  const values = sharedFloats(rows * columns, path, budget)
  for (let column = 0, i = 0; column < columns; column++) {
    for (let to = column; to < values.length; to += columns) values[to] = byColumn[i++]!
  }
  const raw = { source: path, samples: rows, features: columns, values }
  return labelName === null ? raw : { ...raw, labels: vector(budget, labelName, found.get(labelName)!) }
}

/** Reads the wanted matrices of a MAT file; also says what else is in it. */
async function readMatVariables(
  budget: MemoryBudget,
  wanted: readonly string[],
  signal?: AbortSignal,
): Promise<{ found: Map<string, MatMatrix>; seen: string[] }> {
  const { path } = budget
  const bytes = await readWhole(budget, signal)
  const littleEndian = checkHeader(path, bytes)
  const found = new Map<string, MatMatrix>()
  const seen: string[] = []
  const file: Span = { bytes, littleEndian, path, start: 0, end: bytes.length, of: undefined, budget }
  for (let offset = 128; offset < bytes.length; ) {
    signal?.throwIfAborted()
    let element = elementAt(file, offset)
    offset = element.next
    if (element.type === MI_COMPRESSED) {
      const start = element.data.start
      const inner = await inflate(bytes.subarray(start, element.data.end), 'zlib', start, budget)
      const of = `of the decompressed element that starts at byte ${start}`
      element = elementAt({ ...file, bytes: inner, start: 0, end: inner.length, of }, 0)
    }
    if (element.type !== MI_MATRIX) continue
    const name = matrixName(element.data)
    seen.push(name)
    if (wanted.includes(name)) found.set(name, readMatrix(element.data))
    else if (element.data.bytes !== bytes) budget.giveBack(element.data.bytes.length)
  }
  return { found, seen }
}

/** Checks the 128 bytes that every MAT file of version 5 starts with. Returns whether it is little-endian. */
function checkHeader(path: string, bytes: Buffer): boolean {
  if (bytes.length < 128) {
    throw formatError({ path, offset: bytes.length }, 'the file ends within the 128 bytes of a MAT header')
  }
  const order = bytes.toString('latin1', 126, 128)
  if (order !== 'IM' && order !== 'MI') {
    throw formatError(
      { path, offset: 126 },
      'no byte order mark "IM" or "MI"; this is not a MAT file of version 5',
    )
  }
  const littleEndian = order === 'IM'
  const version = littleEndian ? bytes.readUInt16LE(124) : bytes.readUInt16BE(124)
  if (version === 0x0200) {
    throw formatError({ path, offset: 124 }, 'a MAT file of version 7.3 (HDF5); save it with -v7 in MATLAB')
  }
  if (version !== 0x0100) {
    throw formatError({ path, offset: 124 }, `MAT version ${version.toString(16)}; 100 (version 5) is known`)
  }
  return littleEndian
}

function vector(budget: MemoryBudget, name: string, matrix: MatMatrix): Float64Array {
  if (Math.min(matrix.rows, matrix.columns) > 1) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${budget.path}: the labels "${name}" are ${matrix.rows} x ${matrix.columns}; samples x 1 is allowed`,
    )
  }
  return toDoubles(matrix.values, budget)
}

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Place } from '../data/readers/bytes.js'
import { formatError } from '../data/readers/bytes.js'
import { readNpyHeader } from '../data/readers/npy.js'
import type { NumberArray } from '../data/readers/numbers.js'
import { EspalierError } from '../errors.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import { MAX_WIDTH } from '../validation.js'
import { fileError } from './atomic-file.js'
import { type Coordinates, DuplicateElement, toCsr } from './csr.js'
import { decodeNpy, encodeNpy, type NumpyArray, type NumpyReadOptions, npyHeader } from './npy.js'
import { type NpzEntry, npzEntries } from './npz.js'
import { checkMatrix, layerMatrix, type SparseMatrix } from './sparse-matrix.js'
import { writeZip } from './zip.js'

/** What rows, which may be without an element, and elements take while they are sorted, beside the arrays themselves. */
const BYTES_PER_ROW = 24
const BYTES_PER_ELEMENT = 32

/**
 * SciPy's sparse matrices as files (scipy.sparse.save_npz): a .npz archive with `format`, `shape`, `data` and the index
 * arrays of that format.
 */

/**
 * Reads a matrix that `scipy.sparse.save_npz` wrote in the format csr, csc, coo or bsr, and brings it to CSR. Elements
 * that are stored stay, zeros too; bool becomes a Uint8Array of 0 and 1.
 *
 * @throws ERR_ESPALIER_FORMAT naming the file and what is wrong: no such archive, another format (dia), indices outside
 * the shape, an element stored twice, a side above 16777216; ERR_ESPALIER_MEMORY, ERR_ESPALIER_NOT_FOUND,
 * ERR_ESPALIER_FILE, ERR_ESPALIER_OPTION
 */
export async function readSparseNpz(file: string, options: NumpyReadOptions = {}): Promise<SparseMatrix> {
  const entries = new Map<string, NpzEntry>()
  for await (const [name, entry] of npzEntries('readSparseNpz', file, options)) entries.set(name, entry)
  const stored = new StoredMatrix(file, entries)
  try {
    return toCsr(stored.coordinates())
  } catch (cause) {
    if (!(cause instanceof DuplicateElement)) throw cause
    throw new EspalierError('ERR_ESPALIER_FORMAT', `${file}: ${cause.message}`, { cause })
  }
}

/**
 * Writes a matrix as a .npz file that `scipy.sparse.load_npz` reads as a csr_matrix, whole or not at all.
 *
 * @throws ERR_ESPALIER_FILE when the operating system refuses, ERR_ESPALIER_OPTION for arrays that do not fit together
 */
export async function writeSparseNpz(file: string, matrix: SparseMatrix): Promise<void> {
  const { shape, rowOffsets, columnIndices, values } = matrix
  checkMatrix(`writeSparseNpz: ${file}`, matrix)
  // SciPy keeps both index arrays in one type, and 32 bits where they do.
  const fits = columnIndices.length < 2 ** 31
  const list = (data: NumberArray): NumpyArray => ({ shape: [data.length], data })
  const arrays: Record<string, NumpyArray> = {
    indices: list(fits ? columnIndices : BigInt64Array.from(columnIndices, BigInt)),
    indptr: list(fits ? Int32Array.from(rowOffsets, Number) : rowOffsets),
    shape: list(BigInt64Array.from(shape, BigInt)),
    data: list(values),
  }
  const parts = Object.entries(arrays).map(([name, array]) => ({
    name: `${name}.npy`,
    pieces: encodeNpy(`writeSparseNpz: ${file}`, array),
  }))
  const format = { name: 'format.npy', pieces: [npyHeader('|S3', []), Buffer.from('csr')] }
  await writeZip(file, [...parts, format], false)
}

/**
 * Writes the weights of every sparse layer of a snapshot into a folder, each as `layers.<index>.npz` for
 * `scipy.sparse.load_npz`, outputs x inputs.
 *
 * @param folder made where it is not there
 * @returns the paths, in the order of the layers
 * @throws ERR_ESPALIER_FILE
 */
export async function writeSparseLayers(folder: string, snapshot: NetworkSnapshot): Promise<string[]> {
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw fileError('make', folder, cause)
  })
  const files: string[] = []
  for (const [index, { type }] of snapshot.description.layers.entries()) {
    if (type !== 'sparse') continue
    const file = path.join(folder, `layers.${index}.npz`)
    await writeSparseNpz(file, layerMatrix(snapshot, index))
    files.push(file)
  }
  return files
}

/** The arrays of such an archive, checked as they are taken. */
class StoredMatrix {
  constructor(
    private readonly file: string,
    private readonly entries: ReadonlyMap<string, NpzEntry>,
  ) {}

  coordinates(): Coordinates {
    const format = this.#format()
    const shape = this.#shape()
    const values = this.#array('data')
    this.#entry('data').budget.take(values.data.length * BYTES_PER_ELEMENT)
    switch (format) {
      case 'coo': {
        const rows = this.#indices('row', shape[0])
        const columns = this.#indices('col', shape[1])
        this.#sameLength('row', rows.length, columns.length)
        this.#sameLength('data', values.data.length, rows.length)
        return { shape, rows, columns, values: values.data }
      }
      case 'csr':
      case 'csc': {
        const [along, across] = format === 'csr' ? shape : ([shape[1], shape[0]] as const)
        const offsets = this.#offsets(along)
        const indices = this.#indices('indices', across)
        const lines = this.#lines(offsets, indices.length)
        this.#sameLength('data', values.data.length, indices.length)
        const used = indices.subarray(0, lines.length)
        const [rows, columns] = format === 'csr' ? [lines, used] : [used, lines]
        return { shape, rows, columns, values: values.data }
      }
      case 'bsr':
        return this.#blocks(shape, values)
      default:
        throw this.#wrong(
          'format',
          `the format is "${format}"; csr, csc, coo and bsr are known (use .tocsr())`,
        )
    }
  }

  /** Blocks taken apart into elements. */
  #blocks(shape: readonly [number, number], { shape: sides, data }: NumpyArray): Coordinates {
    const [blocks, height, width] = sides
    if (sides.length !== 3 || !height || !width || shape[0] % height !== 0 || shape[1] % width !== 0) {
      const what = `blocks of shape (${sides.join(', ')}) in a matrix of ${shape.join(' x ')}`
      throw this.#wrong('data', what)
    }
    const blockColumns = this.#indices('indices', shape[1] / width)
    const blockRows = this.#lines(this.#offsets(shape[0] / height), blockColumns.length)
    this.#sameLength('data', blocks!, blockColumns.length)
    const size = height * width
    const rows = new Int32Array(blockRows.length * size)
    const columns = new Int32Array(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const block = Math.floor(i / size)
      rows[i] = blockRows[block]! * height + Math.floor((i % size) / width)
      columns[i] = blockColumns[block]! * width + (i % width)
    }
    return { shape, rows, columns, values: data }
  }

  #format(): string {
    const { bytes, at } = this.#entry('format')
    const { descr, dataStart, shape } = readNpyHeader(bytes, at)
    const text = bytes.subarray(dataStart)
    // Bytes (S) or, from SciPy under Python 2, text (U) of four bytes a letter.
    const letters = descr?.code.startsWith('U') ? text.filter((_, i) => i % 4 === 0) : text
    if (shape.length !== 0 || !/^[SU]\d/.test(descr?.code ?? '') || letters.length > 8) {
      throw this.#wrong('format', 'it is not a short text')
    }
    return Buffer.from(letters).toString('latin1').replace(/\0+$/, '')
  }

  #shape(): [number, number] {
    const shape = Array.from(this.#array('shape').data.subarray(0, 3), Number)
    if (
      shape.length !== 2 ||
      !shape.every((side) => Number.isInteger(side) && side > 0 && side <= MAX_WIDTH)
    ) {
      const what = `the shape is (${shape.join(', ')}); two sides from 1 to ${MAX_WIDTH} are allowed`
      throw this.#wrong('shape', what)
    }
    const { budget } = this.#entry('data')
    budget.take(shape[0]! * BYTES_PER_ROW)
    return shape as [number, number]
  }

  #array(name: string): NumpyArray {
    const { bytes, at, budget } = this.#entry(name)
    return decodeNpy(bytes, at, budget)
  }

  #list(name: string): NumberArray {
    const { shape, data } = this.#array(name)
    if (shape.length !== 1 || data instanceof Float32Array || data instanceof Float64Array) {
      throw this.#wrong(
        name,
        `${data.constructor.name} of shape (${shape.join(', ')}); a list of integers is allowed`,
      )
    }
    return data
  }

  #indices(name: string, end: number): Int32Array {
    const list = this.#list(name)
    const outside = list.findIndex((index: number | bigint) => index < 0 || index >= end)
    if (outside >= 0)
      throw this.#wrong(name, `element ${outside} is ${list[outside]}; allowed: 0 to ${end - 1}`)
    return list instanceof Int32Array ? list : Int32Array.from(list as Iterable<number | bigint>, Number)
  }

  #offsets(lines: number): Float64Array {
    const list = this.#list('indptr')
    if (list.length !== lines + 1) throw this.#wrong('indptr', `${list.length} offsets for ${lines} lines`)
    return Float64Array.from(list as Iterable<number | bigint>, Number)
  }

  /** The line of each element, from offsets that must ascend. */
  #lines(offsets: Float64Array, available: number): Int32Array {
    const count = offsets.at(-1)!
    const ascending = offsets.every((offset, i) => offset >= (offsets[i - 1] ?? 0))
    if (offsets[0] !== 0 || !ascending || count > available) {
      throw this.#wrong('indptr', `the offsets do not ascend from 0 to at most ${available}`)
    }
    const lines = new Int32Array(count)
    for (let line = 0; line + 1 < offsets.length; line++) lines.fill(line, offsets[line], offsets[line + 1])
    return lines
  }

  #sameLength(name: string, length: number, expected: number): void {
    if (length !== expected) throw this.#wrong(name, `${length} elements where ${expected} are expected`)
  }

  #entry(name: string): NpzEntry {
    const entry = this.entries.get(name)
    if (entry !== undefined) return entry
    const found = [...this.entries.keys()].slice(0, 10).join(', ') || 'none'
    const message = `${this.file}: not a sparse matrix of SciPy: no array "${name}"; the file holds ${found}`
    throw new EspalierError('ERR_ESPALIER_FORMAT', message)
  }

  #wrong(name: string, what: string): EspalierError {
    const place: Place = { path: this.file, offset: 0, of: `of entry "${name}.npy"` }
    return formatError(place, what)
  }
}

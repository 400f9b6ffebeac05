import type { MemoryBudget } from '../data/memory.js'
import { budgetFor, formatError, readContents } from '../data/readers/bytes.js'
import { type At, fromFortranOrder, npyNumbers, readNpyHeader } from '../data/readers/npy.js'
import { decodeArray, decodedBytes, type NumberArray } from '../data/readers/numbers.js'
import { EspalierError } from '../errors.js'
import { object, parse, whole } from '../validation.js'
import { writeWhole } from './atomic-file.js'

/**
 * NumPy arrays as files (NEP 1, "A simple file format for NumPy arrays"): a magic number, a header that is a Python
 * dict literal with type, order and shape, then the numbers.
 */

export interface NumpyArray {
  /** Sizes, slowest dimension first; [] for a single number. */
  readonly shape: readonly number[]
  /** As many elements as the product of the shape, row-major. */
  readonly data: NumberArray
  /** True where the array is one of NumPy's bool; `data` is then a Uint8Array of 0 and 1. Absent otherwise. */
  readonly boolean?: true
}

/** Options of `readNpy`, `readNpz` and `readSparseNpz`. */
export interface NumpyReadOptions {
  /**
   * Bytes that reading the file may take in memory. Default: ten times the size of the file and 256 MiB, so that a small
   * file cannot fill the memory; arrays of zeros that were compressed well may need more.
   */
  maxBytes?: number
}

export const numpyReadOptions = object({ maxBytes: whole({ from: 0 }).optional() })

const codes = new Map<NumberArray['constructor'], string>([
  [Uint8Array, '|u1'],
  [Int8Array, '|i1'],
  [Uint16Array, '<u2'],
  [Int16Array, '<i2'],
  [Uint32Array, '<u4'],
  [Int32Array, '<i4'],
  [BigUint64Array, '<u8'],
  [BigInt64Array, '<i8'],
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
])
const mostDimensions = 64

/**
 * Reads a .npy file of format version 1, 2 or 3: real numbers and booleans of any size and byte order, in C or Fortran
 * order (which is turned into C order); half floats become float32. Objects, text, complex numbers and records are
 * refused; nothing is ever unpickled.
 *
 * @throws ERR_ESPALIER_FORMAT naming file and byte offset, ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FILE,
 * ERR_ESPALIER_MEMORY for more than `maxBytes`, ERR_ESPALIER_OPTION
 */
export async function readNpy(path: string, options: NumpyReadOptions = {}): Promise<NumpyArray> {
  const { maxBytes } = parse('readNpy', numpyReadOptions, options)
  const budget = await budgetFor(path, maxBytes)
  const { bytes, of } = await readContents(budget)
  return decodeNpy(bytes, (offset) => ({ path, offset, ...(of !== undefined && { of }) }), budget)
}

/**
 * Writes an array as a .npy file of format version 1, whole or not at all.
 *
 * @throws ERR_ESPALIER_FILE when the operating system refuses, ERR_ESPALIER_OPTION for a shape that is not its data's
 */
export async function writeNpy(path: string, array: NumpyArray): Promise<void> {
  const pieces = encodeNpy(`writeNpy: ${path}`, array)
  await writeWhole(path, async (sink) => {
    for (const piece of pieces) await sink.write(piece)
  })
}

/** The array in the bytes of a .npy file. @param at for messages @param budget what the array is taken from */
export function decodeNpy(bytes: Buffer, at: At, budget: MemoryBudget): NumpyArray {
  const header = readNpyHeader(bytes, at)
  const { data, type, littleEndian } = npyNumbers(bytes, header, at)
  const { shape, fortranOrder } = header
  const turned = fortranOrder && shape.length > 1
  budget.take(decodedBytes(data.length, type) * (turned ? 2 : 1))
  const stored = decodeArray(data, type, littleEndian)
  const numbers = turned ? inCOrder(stored, shape) : stored
  if (header.descr?.code !== 'b1') return { shape, data: numbers }
  const other = numbers.findIndex((value: number | bigint) => value !== 0 && value !== 1)
  if (other >= 0) {
    throw formatError(at(header.dataStart), `element ${other} of a bool array is ${numbers[other]}`)
  }
  return { shape, data: numbers, boolean: true }
}

/** Header and numbers of a .npy file. @param call begins the message of an error */
export function encodeNpy(call: string, { shape, data, boolean }: NumpyArray): [Buffer, Uint8Array] {
  const code = codes.get(data.constructor)
  const sized = shape.every((side) => Number.isSafeInteger(side) && side >= 0)
  const elements = shape.reduce((product, side) => product * side, 1)
  if (code === undefined || !sized || elements !== data.length || shape.length > mostDimensions) {
    const given = `shape [${shape.join(', ')}] with ${data.length} elements of ${data.constructor.name}`
    throw new EspalierError('ERR_ESPALIER_OPTION', `${call}: an array has ${given}`)
  }
  if (boolean && !(data instanceof Uint8Array && data.every((value) => value <= 1))) {
    const message = `${call}: an array of booleans is not a Uint8Array of 0 and 1`
    throw new EspalierError('ERR_ESPALIER_OPTION', message)
  }
  return [
    npyHeader(boolean ? '|b1' : code, shape),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]
}

/** Everything before the numbers, padded to a multiple of 64 bytes as NumPy does it. */
export function npyHeader(descr: string, shape: readonly number[]): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10
  const header = Buffer.alloc(10 + length, ' ')
  header.write('\x93NUMPY\x01\x00', 'latin1')
  header.writeUInt16LE(length, 8)
  header.write(text, 10, 'latin1')
  header[9 + length] = 0x0a
  return header
}

function inCOrder(stored: NumberArray, shape: readonly number[]): NumberArray {
  const turned = stored.slice()
  // Both are arrays of the same type, numbers or bigints.
  fromFortranOrder(stored as ArrayLike<number>, shape, turned as { length: number; [index: number]: number })
  return turned
}

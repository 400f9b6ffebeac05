import type { RawLabels } from '../labels.js'
import { type MemoryBudget, sharedFloats } from '../memory.js'
import { type RawSamples, samplesOfArray } from '../samples.js'
import { budgetFor, formatError, type Place, readContents } from './bytes.js'
import {
  copyNumbers,
  decodeNumbers,
  NUMBER_BYTES,
  type Numbers,
  type NumberType,
  safeProduct,
  toDoubles,
} from './numbers.js'

/** Type codes of NumPy's array interface: kind and bytes. */
const TYPES: ReadonlyMap<string, NumberType> = new Map([
  ['b1', 'uint8'],
  ['u1', 'uint8'],
  ['i1', 'int8'],
  ['u2', 'uint16'],
  ['i2', 'int16'],
  ['u4', 'uint32'],
  ['i4', 'int32'],
  ['u8', 'uint64'],
  ['i8', 'int64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
])

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')

/** NumPy's own limits; they bound the work that a header can ask for. */
const LONGEST_HEADER = 65_536
const MOST_DIMENSIONS = 64

/** The header is a Python dict literal with exactly these three keys, in any order. */
const DESCR = /'descr'\s*:\s*'([<>|=])([A-Za-z]\d{1,3})'/
const ORDER = /'fortran_order'\s*:\s*(True|False)/
const SHAPE = /'shape'\s*:\s*\(\s*((?:\d{1,20}L?\s*(?:,\s*|(?=\))))*)\)/

/** A NumPy array. */
export interface NpyArray {
  /** Sizes, slowest dimension first; [] for a single number. */
  readonly shape: readonly number[]
  /** True where `values` is in Fortran order, the first dimension fastest. */
  readonly fortranOrder: boolean
  readonly values: Numbers
}

/** What a .npy file says of itself before its numbers begin. */
export interface NpyHeader {
  /** Byte order (`<`, `>`, `|` or `=`) and type code, e.g. `f4`; undefined for a record or anything else. */
  readonly descr: { readonly order: string; readonly code: string } | undefined
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Where the header's text and the numbers begin. */
  readonly headerStart: number
  readonly dataStart: number
  /** The type as it stands there, for messages. */
  readonly given: string
}

/** Says where in a file an offset lies. */
export type At = (offset: number) => Place

/**
 * Reads a NumPy file of format version 1, 2 or 3: real numbers and booleans of any size and byte order. Objects,
 * strings, complex numbers and records are refused; nothing is ever unpickled.
 *
 * Source: NEP 1, "A simple file format for NumPy arrays".
 *
 * @param budget of the file, see `budgetFor`
 * @throws ERR_ESPALIER_FORMAT naming file and byte offset; ERR_ESPALIER_MEMORY
 */
export async function readNpy(budget: MemoryBudget, signal?: AbortSignal): Promise<NpyArray> {
  const { path } = budget
  const { bytes, of } = await readContents(budget, signal)
  const at = (offset: number): Place => ({ path, offset, ...(of !== undefined && { of }) })
  const header = readNpyHeader(bytes, at)
  const { data, type, littleEndian } = npyNumbers(bytes, header, at)
  const { shape, fortranOrder } = header
  return { shape, fortranOrder, values: decodeNumbers(data, type, littleEndian, budget) }
}

/** Reads what stands before the numbers. @throws ERR_ESPALIER_FORMAT */
export function readNpyHeader(bytes: Buffer, at: At): NpyHeader {
  if (bytes.length < 10)
    throw formatError(at(bytes.length), 'the file ends within the first 10 bytes of a NumPy header')
  if (!bytes.subarray(0, 6).equals(MAGIC))
    throw formatError(at(0), 'this is not a NumPy .npy file (no \\x93NUMPY)')
  const version = bytes[6]!
  if (version < 1 || version > 3) throw formatError(at(6), `format version ${version}; 1, 2 and 3 are known`)
  if (version > 1 && bytes.length < 12)
    throw formatError(at(bytes.length), 'the file ends within the header length')
  const headerStart = version === 1 ? 10 : 12
  const headerLength = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8)
  const dataStart = headerStart + headerLength
  if (dataStart > bytes.length) {
    throw formatError(at(8), `a header of ${headerLength} bytes in a file of ${bytes.length}`)
  }
  if (headerLength > LONGEST_HEADER) {
    throw formatError(at(8), `a header of ${headerLength} bytes; allowed: ${LONGEST_HEADER}`)
  }
  return {
    ...parseHeader(bytes.toString('utf8', headerStart, dataStart), at(headerStart)),
    headerStart,
    dataStart,
  }
}

/** The bytes of the numbers and how to read them. @throws ERR_ESPALIER_FORMAT where they are not numbers */
export function npyNumbers(bytes: Buffer, header: NpyHeader, at: At) {
  const { descr, given, shape, headerStart, dataStart } = header
  const type = descr && TYPES.get(descr.code)
  if (type === undefined) {
    const known = [...TYPES.keys()].join(', ')
    throw formatError(at(headerStart), `the type ${given} cannot be read; known: ${known}`)
  }
  const size = safeProduct([...shape, NUMBER_BYTES[type]])
  const there = bytes.length - dataStart
  if (size !== there) {
    const needed = size ?? 'far too many'
    throw formatError(
      at(headerStart),
      `shape (${shape.join(', ')}) of ${type} needs ${needed} bytes, but ${there} follow the header`,
    )
  }
  return { data: bytes.subarray(dataStart), type, littleEndian: descr!.order !== '>' }
}

function parseHeader(header: string, place: Place) {
  const descr = DESCR.exec(header)
  const order = ORDER.exec(header)
  const sizes = SHAPE.exec(header)
  if (order === null || sizes === null) {
    throw formatError(
      place,
      `no fortran_order or no shape in the header ${JSON.stringify(header.slice(0, 120))}`,
    )
  }
  const shape = sizes[1]!.match(/\d+/g)?.map(Number) ?? []
  if (shape.length > MOST_DIMENSIONS) {
    throw formatError(place, `${shape.length} dimensions; allowed: ${MOST_DIMENSIONS}`)
  }
  return {
    descr: descr === null ? undefined : { order: descr[1]!, code: descr[2]! },
    fortranOrder: order[1] === 'True',
    shape,
    given: /'descr'\s*:\s*([^,}]*)/.exec(header)?.[1]?.slice(0, 60) ?? 'nothing',
  }
}

/**
 * Reads samples from .npy: the first dimension counts samples, the others are flattened into features. Three
 * dimensions are images of [height, width].
 *
 * @param labelPath the .npy file of the labels, of shape (samples) or (samples, 1)
 * @param maxBytes see `ReadOptions`
 */
export async function readNpySamples(
  path: string,
  labelPath: string | undefined,
  signal?: AbortSignal,
  maxBytes?: number,
): Promise<RawSamples> {
  const budget = await budgetFor(path, maxBytes)
  const array = await readNpy(budget, signal)
  const labels = labelPath === undefined ? undefined : await readNpyLabels(labelPath, signal, maxBytes)
  const { shape, values } = array
  const floats = sharedFloats(values.length, path, budget)
  if (array.fortranOrder && shape.length > 1) fromFortranOrder(values, shape, floats)
  else copyNumbers(values, floats)
  return samplesOfArray(path, shape, floats, labels)
}

async function readNpyLabels(
  path: string,
  signal: AbortSignal | undefined,
  maxBytes: number | undefined,
): Promise<RawLabels> {
  const budget = await budgetFor(path, maxBytes)
  const { shape, values } = await readNpy(budget, signal)
  if (values.length !== (shape[0] ?? 0)) {
    throw formatError(
      { path, offset: 10 },
      `labels of shape (${shape.join(', ')}); (samples) or (samples, 1) is allowed`,
    )
  }
  return toDoubles(values, budget)
}

/** Copies an array of any rank from Fortran order (first dimension fastest) to C order (last fastest). */
export function fromFortranOrder<T>(
  from: ArrayLike<T>,
  shape: readonly number[],
  to: { readonly length: number; [index: number]: T },
): void {
  const strides: number[] = []
  let stride = 1
  for (const size of shape) {
    strides.push(stride)
    stride *= size
  }
  const position = shape.map(() => 0)
  let source = 0
  for (let i = 0; i < to.length; i++) {
    to[i] = from[source]!
    for (let d = shape.length - 1; d >= 0; d--) {
      source += strides[d]!
      if (++position[d]! < shape[d]!) break
      source -= strides[d]! * shape[d]!
      position[d] = 0
    }
  }
}

import type { MemoryBudget } from '../memory.js'
import { formatError } from './bytes.js'
import { decodeNumbers, NUMBER_BYTES, type Numbers, type NumberType } from './numbers.js'

export const MI_MATRIX = 14
export const MI_COMPRESSED = 15

/** The number types that an element may hold, by their code in the file. */
const TYPES: ReadonlyMap<number, NumberType> = new Map([
  [1, 'int8'],
  [2, 'uint8'],
  [3, 'int16'],
  [4, 'uint16'],
  [5, 'int32'],
  [6, 'uint32'],
  [7, 'float32'],
  [9, 'float64'],
  [12, 'int64'],
  [13, 'uint64'],
])

/** A stretch of a MAT file, or of what one of its compressed elements holds. */
export interface Span {
  readonly bytes: Buffer
  readonly littleEndian: boolean
  readonly path: string
  readonly start: number
  readonly end: number
  /** Says what offsets count where that is not the file itself. */
  readonly of: string | undefined
  readonly budget: MemoryBudget
}

/** One data element: a tag and its data. */
export interface Element {
  readonly type: number
  readonly data: Span
  /** Where the next element starts. */
  readonly next: number
}

/** An error at an offset of a span. */
export function spanError(span: Span, offset: number, problem: string) {
  return formatError({ path: span.path, offset, ...(span.of !== undefined && { of: span.of }) }, problem)
}

/** Reads the tag at `offset` and checks that the data it announces is there. */
export function elementAt(span: Span, offset: number): Element {
  if (offset + 8 > span.end) throw spanError(span, offset, 'the data ends within the tag of an element')
  const word = readUint32(span, offset)
  // A small element packs its size (1 to 4) into the upper half of the first word and its data into the second.
  const smallSize = word >>> 16
  const type = word & 0xffff
  if (smallSize !== 0) {
    if (smallSize > 4) throw spanError(span, offset, `a small element of ${smallSize} bytes; at most 4 fit`)
    return { type, data: { ...span, start: offset + 4, end: offset + 4 + smallSize }, next: offset + 8 }
  }
  const size = readUint32(span, offset + 4)
  const start = offset + 8
  const end = start + size
  if (end > span.end) {
    throw spanError(span, offset, `an element of ${size} bytes where ${span.end - start} are left`)
  }
  // Everything but compressed data is padded to 8 bytes; some writers leave the padding of the last element out.
  const next = type === MI_COMPRESSED ? end : Math.min(start + Math.ceil(size / 8) * 8, span.end)
  return { type, data: { ...span, start, end }, next }
}

/** The numbers of an element. */
export function elementNumbers(element: Element): Numbers {
  const { data } = element
  const type = TYPES.get(element.type)
  if (type === undefined) throw spanError(data, data.start, `numbers of the unknown type ${element.type}`)
  const size = data.end - data.start
  if (size % NUMBER_BYTES[type] !== 0) {
    throw spanError(data, data.start, `${size} bytes are not a whole number of ${type}`)
  }
  return decodeNumbers(data.bytes.subarray(data.start, data.end), type, data.littleEndian, data.budget)
}

/** An unsigned 32-bit integer in the byte order of the file; the caller has checked that it is there. */
export function readUint32(span: Span, offset: number): number {
  return span.littleEndian ? span.bytes.readUInt32LE(offset) : span.bytes.readUInt32BE(offset)
}

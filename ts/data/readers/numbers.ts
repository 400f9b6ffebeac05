import { endianness } from 'node:os'
import type { MemoryBudget } from '../memory.js'

/** The number types that binary formats store. */
export type NumberType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'

/** Bytes of one number. */
export const NUMBER_BYTES: Readonly<Record<NumberType, 1 | 2 | 4 | 8>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  uint64: 8,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
}

/** Numbers as they come out of a file, before they become features or labels. */
export type Numbers = ArrayLike<number>

const HOST_IS_LITTLE = endianness() === 'LE'

/** Numbers of one type, as they are in the file; half floats are widened. */
export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/**
 * Reads all of `bytes` as numbers of one type, into memory of their own.
 *
 * @param bytes a whole multiple of the type's size; the caller has checked it
 */
export function decodeArray(bytes: Uint8Array, type: NumberType, littleEndian: boolean): NumberArray {
  // A copy, because typed arrays need aligned memory and because swapping works in place.
  const memory = new ArrayBuffer(bytes.length)
  const copy = Buffer.from(memory)
  copy.set(bytes)
  if (littleEndian !== HOST_IS_LITTLE) swap(copy, NUMBER_BYTES[type])
  switch (type) {
    case 'uint8':
      return new Uint8Array(memory)
    case 'int8':
      return new Int8Array(memory)
    case 'uint16':
      return new Uint16Array(memory)
    case 'int16':
      return new Int16Array(memory)
    case 'uint32':
      return new Uint32Array(memory)
    case 'int32':
      return new Int32Array(memory)
    case 'uint64':
      return new BigUint64Array(memory)
    case 'int64':
      return new BigInt64Array(memory)
    case 'float16':
      return Float32Array.from(new Uint16Array(memory), halfToNumber)
    case 'float32':
      return new Float32Array(memory)
    case 'float64':
      return new Float64Array(memory)
  }
}

/** Bytes that `decodeArray` allocates for that many bytes in the file. */
export function decodedBytes(bytes: number, type: NumberType): number {
  return type === 'float16' ? 3 * bytes : bytes
}

/**
 * The same as plain numbers: 64-bit integers become the nearest double.
 *
 * @param budget what they are taken from
 */
export function decodeNumbers(
  bytes: Uint8Array,
  type: NumberType,
  littleEndian: boolean,
  budget: MemoryBudget,
): Numbers {
  if (type === 'uint8') return bytes
  const wide = type === 'int64' || type === 'uint64'
  budget.take(decodedBytes(bytes.length, type) + (wide ? bytes.length : 0))
  const array = decodeArray(bytes, type, littleEndian)
  return array instanceof BigInt64Array || array instanceof BigUint64Array
    ? nearestDoubles(array, type === 'int64')
    : array
}

/** By halves, whose sum is rounded once: bigints of their own would take several times the memory. */
function nearestDoubles({ buffer, length }: BigInt64Array | BigUint64Array, signed: boolean): Float64Array {
  const lower = new Uint32Array(buffer)
  const upper = signed ? new Int32Array(buffer) : lower
  const [low, high] = HOST_IS_LITTLE ? [0, 1] : [1, 0]
  const doubles = new Float64Array(length)
  for (let i = 0; i < length; i++) doubles[i] = upper[2 * i + high]! * 2 ** 32 + lower[2 * i + low]!
  return doubles
}

/** A copy of its own, as labels are kept. @param budget what it is taken from */
export function toDoubles(values: Numbers, budget: MemoryBudget): Float64Array {
  budget.take(values.length * Float64Array.BYTES_PER_ELEMENT)
  return Float64Array.from(values)
}

/** Copies numbers into float32. A plain loop, because `set` from another type is several times slower in V8. */
export function copyNumbers(from: Numbers, to: Float32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i]!
}

/**
 * The product of sizes from a header, or undefined where it is not a safe integer (or a size is negative, which no
 * unsigned header can be, but a signed one can).
 */
export function safeProduct(sizes: readonly number[]): number | undefined {
  let product = 1
  for (const size of sizes) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined
    product *= size
  }
  return Number.isSafeInteger(product) ? product : undefined
}

function swap(bytes: Buffer, size: 1 | 2 | 4 | 8): void {
  if (size === 2) bytes.swap16()
  else if (size === 4) bytes.swap32()
  else if (size === 8) bytes.swap64()
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

import crc32c from 'crc-32/crc32c.js'
import {
  double,
  encodeMessage,
  type Field,
  float,
  integer,
  message,
  packedDoubles,
  text,
} from './protobuf.js'

/**
 * TensorBoard's files: TFRecord framing (https://www.tensorflow.org/tutorials/load_data/tfrecord) around Event messages
 * (event.proto and summary.proto of TensorFlow), whose field numbers these are.
 */

const bins = 64

/** The event that every file begins with. */
export function versionEvent(): Uint8Array {
  return encodeMessage(double(1, Date.now() / 1000), text(3, 'brain.Event:2'))
}

/** An event of now. @param values each the fields of a Summary.Value */
export function eventBytes(step: number, values: readonly (readonly Field[])[]): Uint8Array {
  const summary = message(5, ...values.map((fields) => message(1, ...fields)))
  return encodeMessage(double(1, Date.now() / 1000), integer(2, step), summary)
}

/** A number beyond float32 becomes Infinity. */
export const scalarFields = (tag: string, value: number): Field[] => [
  text(1, tag),
  float(2, Math.fround(value)),
]

export function histogramFields(tag: string, values: ArrayLike<number>): Field[] {
  let [count, sum, squares, least, most] = [0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!Number.isFinite(value)) continue
    count++
    sum += value
    squares += value * value
    if (value < least) least = value
    if (value > most) most = value
  }
  if (count === 0) return [text(1, tag), message(5, ...histogram(0, 0, 0, 0, 0, [0], [0]))]
  // Equal values share one bin.
  const width = (most - least) / bins || 1
  const buckets = new Array<number>(most > least ? bins : 1).fill(0)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isFinite(value)) buckets[Math.min(buckets.length - 1, Math.floor((value - least) / width))]!++
  }
  const limits = buckets.map((_, bin) => (bin + 1 === buckets.length ? most : least + (bin + 1) * width))
  return [text(1, tag), message(5, ...histogram(least, most, count, sum, squares, limits, buckets))]
}

/** HistogramProto. @param limits upper ends of the buckets */
function histogram(
  least: number,
  most: number,
  count: number,
  sum: number,
  squares: number,
  limits: readonly number[],
  buckets: readonly number[],
): Field[] {
  const numbers = [least, most, count, sum, squares].map((value, i) => double(i + 1, value))
  return [...numbers, packedDoubles(6, limits), packedDoubles(7, buckets)]
}

/** A record: length, its checksum, the bytes, their checksum. */
export function record(bytes: Uint8Array): Buffer {
  const framed = Buffer.alloc(bytes.length + 16)
  framed.writeBigUInt64LE(BigInt(bytes.length), 0)
  framed.writeUInt32LE(masked(framed.subarray(0, 8)), 8)
  framed.set(bytes, 12)
  framed.writeUInt32LE(masked(bytes), 12 + bytes.length)
  return framed
}

/** CRC-32C, rotated and shifted, since a checksum of data that holds checksums would be weak. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes) >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

import { readFileSync } from 'node:fs'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** What an event file of TensorBoard says, read without any of the code that writes it. */
export interface Summary {
  step: number
  tag: string
  scalar?: number
  histogram?: {
    min: number
    max: number
    num: number
    sum: number
    squares: number
    limits: number[]
    counts: number[]
  }
}

/** CRC-32C bit by bit, masked as TFRecord wants it. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** @throws where the framing or a checksum is wrong */
export function readEvents(file: string): { version: string; summaries: Summary[] } {
  const bytes = readFileSync(file)
  const summaries: Summary[] = []
  let version = ''
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    if (bytes.readUInt32LE(at + 8) !== checksum(bytes.subarray(at, at + 8)))
      throw new Error(`length at ${at}`)
    const event = bytes.subarray(at + 12, at + 12 + length)
    if (bytes.readUInt32LE(at + 12 + length) !== checksum(event)) throw new Error(`event at ${at}`)
    at += 16 + length
    let step = 0
    each(event, (field, reader) => {
      if (field === 1) reader.double()
      if (field === 2) step = Number(reader.int64())
      if (field === 3) version = reader.string()
      if (field === 5) each(reader.bytes(), (_, inner) => summaries.push(summaryOf(step, inner.bytes())))
    })
  }
  return { version, summaries }
}

function summaryOf(step: number, bytes: Uint8Array): Summary {
  const summary: Summary = { step, tag: '' }
  each(bytes, (field, reader) => {
    if (field === 1) summary.tag = reader.string()
    if (field === 2) summary.scalar = reader.float()
    if (field !== 5) return
    const numbers: number[] = []
    const lists: number[][] = []
    each(reader.bytes(), (number, inner) => {
      if (number < 6) numbers.push(inner.double())
      else lists.push(Array.from(new Float64Array(Uint8Array.from(inner.bytes()).buffer)))
    })
    const [min, max, num, sum, squares] = numbers as [number, number, number, number, number]
    summary.histogram = { min, max, num, sum, squares, limits: lists[0]!, counts: lists[1]! }
  })
  return summary
}

function each(bytes: Uint8Array, visit: (field: number, reader: BinaryReader) => void): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (type === WireType.StartGroup) throw new Error('a group')
    visit(field, reader)
  }
}

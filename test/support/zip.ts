import { crc32, deflateRawSync } from 'node:zlib'

export interface Entry {
  name: string
  bytes: Uint8Array
  deflate?: boolean
  /** Lies of the central directory; the truth where absent. */
  size?: number
  crc?: number
  method?: number
  flags?: number
}

/** A ZIP archive that says whatever a test wants it to say. */
export function zipOf(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, bytes, deflate = false, ...lies } of entries) {
    const stored = deflate ? deflateRawSync(bytes) : Buffer.from(bytes)
    const { size = bytes.length, crc = crc32(bytes), method = deflate ? 8 : 0, flags = 0 } = lies
    const letters = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(crc, 10)
    common.writeUInt32LE(stored.length, 14)
    common.writeUInt32LE(size, 18)
    common.writeUInt16LE(letters.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, letters)
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, letters, stored)
    offset += 30 + letters.length + stored.length
  }
  const listing = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(listing.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, listing, end])
}

import { isUtf8 } from 'node:buffer'

/**
 * Decodes a stream of UTF-8, without a byte order mark. Replacement characters in place of errors would make
 * different texts the same, so that two categories or classes became one.
 */
export class Utf8Decoder {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  readonly #failure: (offset: number) => Error
  #read = 0

  /** @param failure the error for a byte that cannot be, at this offset of the stream */
  constructor(failure: (offset: number) => Error) {
    this.#failure = failure
  }

  decode(chunk: Buffer): string {
    try {
      return this.#decoder.decode(chunk, { stream: true })
    } catch {
      throw this.#failure(this.#read + badByte(chunk))
    } finally {
      this.#read += chunk.length
    }
  }

  /** Refuses a stream that ends within a character. */
  end(): void {
    try {
      this.#decoder.decode()
    } catch {
      throw this.#failure(this.#read)
    }
  }
}

/** Where the first character that is none begins, or 0 where that depends on the chunk before. */
function badByte(chunk: Buffer): number {
  let start = 0
  // What may be the rest of a character that the chunk before began.
  while (start < 3 && (chunk[start]! & 0xc0) === 0x80) start++
  const rest = chunk.subarray(start)
  if (isBeginning(rest)) return 0
  let good = 0
  for (let bad = rest.length; bad - good > 1; ) {
    const middle = (good + bad) >> 1
    if (isBeginning(rest.subarray(0, middle))) good = middle
    else bad = middle
  }
  while (!isUtf8(rest.subarray(0, good))) good--
  return start + good
}

/** Whether more bytes may make it UTF-8. */
function isBeginning(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

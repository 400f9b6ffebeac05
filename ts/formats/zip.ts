import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { crc32, inflateRaw, type ZlibOptions } from 'node:zlib'
import yauzl from 'yauzl'
import yazl from 'yazl'
import { MemoryBudget } from '../data/memory.js'
import { EspalierError } from '../errors.js'
import { writeWhole } from './atomic-file.js'
import { InputFile } from './input-file.js'

/** ZIP archives in memory, as far as NumPy uses them. Names are names of arrays; nothing is ever written to them. */

const SLICE = 2 ** 20

const inflateRawAsync = promisify<Uint8Array, ZlibOptions, Buffer>(inflateRaw)

/** An entry of an archive, inflated. */
export interface ZipEntry {
  readonly name: string
  readonly bytes: Buffer
  /** Where its local header begins in the archive. */
  readonly offset: number
  /** Of the archive; the bytes have been taken from it. */
  readonly budget: MemoryBudget
}

/** What is to be written: the contents in pieces, which are not copied together. */
export interface ZipPart {
  readonly name: string
  readonly pieces: readonly Uint8Array[]
}

/**
 * Reads the entries of a ZIP archive one by one, ZIP64 included, checking sizes and CRC-32.
 *
 * @param maxBytes see `MemoryBudget`
 * @throws ERR_ESPALIER_FORMAT naming file, entry and offset for what is damaged, encrypted, of an unknown compression
 * or has a name twice; ERR_ESPALIER_MEMORY, ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FILE
 */
export async function* zipEntries(file: string, maxBytes?: number): AsyncGenerator<ZipEntry> {
  const { input, archive } = await openArchive(file)
  const budget = new MemoryBudget(file, input.size, maxBytes)
  const names = new Set<string>()
  try {
    for await (const entry of archive.eachEntry()) {
      const { fileName: name, uncompressedSize: size, relativeOffsetOfLocalHeader: offset } = entry
      const refuse = (what: string) => wrong(file, `entry "${name}" at byte ${offset}: ${what}`)
      if (names.has(name)) throw refuse('the name is there twice')
      names.add(name)
      if (entry.isEncrypted()) throw refuse('it is encrypted')
      if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
        throw refuse(`compression method ${entry.compressionMethod}; 0 (none) and 8 (deflate) are known`)
      }
      budget.take(size)
      yield { name, offset, bytes: await contents(input, archive, entry, refuse), budget }
    }
  } catch (cause) {
    throw readError(file, cause)
  } finally {
    archive.close()
    await input.close()
  }
}

/**
 * Writes a ZIP archive, whole or not at all. It holds no times, so that the same parts make the same bytes.
 *
 * @param compress deflate, instead of storing the bytes as they are
 * @throws ERR_ESPALIER_FILE with the reason, ERR_ESPALIER_OPTION for a name that no archive should have
 */
export async function writeZip(file: string, parts: readonly ZipPart[], compress: boolean): Promise<void> {
  const archive = new yazl.ZipFile()
  const mtime = new Date(1980, 0, 1)
  for (const { name, pieces } of parts) {
    const size = pieces.reduce((sum, { length }) => sum + length, 0)
    try {
      archive.addReadStream(Readable.from(slices(pieces), { objectMode: false }), name, {
        mtime,
        compress,
        size,
      })
    } catch (cause) {
      const message = `${file}: the name ${JSON.stringify(name)} cannot be used: ${(cause as Error).message}`
      throw new EspalierError('ERR_ESPALIER_OPTION', message, { cause })
    }
  }
  archive.end()
  await writeWhole(file, async (sink) => {
    for await (const chunk of archive.outputStream as AsyncIterable<Buffer>) await sink.write(chunk)
  })
}

/** Gives yauzl the parts of a file that it asks for, and an error for those that no file has. */
class PartReader extends yauzl.RandomAccessReader {
  constructor(private readonly file: InputFile) {
    super()
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    if (!(position + length <= this.file.size)) {
      callback(new Error(`bytes at ${position}, beyond the end of the file, are asked for`))
      return
    }
    this.file.read(position, length).then((bytes) => {
      buffer.set(bytes, offset)
      callback(null)
    }, callback)
  }

  override close(callback: (error: Error | null) => void): void {
    // Whoever opened the file closes it, and waits for that.
    callback(null)
  }
}

async function openArchive(file: string) {
  const input = await InputFile.open(file)
  // Sizes are checked here, with the entry's name in the message.
  const options = { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: false }
  try {
    return {
      input,
      archive: await yauzl.fromRandomAccessReaderPromise(new PartReader(input), input.size, options),
    }
  } catch (cause) {
    await input.close()
    throw readError(file, cause)
  }
}

/** The bytes in pieces that streams take well, none of them empty. */
function* slices(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += SLICE) yield piece.subarray(from, from + SLICE)
  }
}

async function contents(
  input: InputFile,
  archive: yauzl.ZipFile,
  entry: yauzl.Entry,
  refuse: (what: string) => EspalierError,
): Promise<Buffer> {
  const { compressedSize, uncompressedSize: size, compressionMethod } = entry
  // This has checked that the bytes are within the file.
  const { fileDataStart } = await archive
    .readLocalFileHeaderPromise(entry, { minimal: true })
    .catch((cause) => {
      throw refuse(cause.message)
    })
  const packed = await input.read(fileDataStart, compressedSize)
  const bytes = compressionMethod === 0 ? Buffer.from(packed.buffer) : await inflate(packed, size, refuse)
  if (bytes.length !== size) throw refuse(`${size} bytes announced, ${bytes.length} are there`)
  const sum = crc32(bytes)
  if (sum !== entry.crc32) {
    throw refuse(`its CRC-32 is ${sum.toString(16)}, and ${entry.crc32.toString(16)} was announced`)
  }
  return bytes
}

/** At most `size` bytes, in one piece where that is not too large. */
async function inflate(
  packed: Uint8Array,
  size: number,
  refuse: (what: string) => EspalierError,
): Promise<Buffer> {
  const chunkSize = Math.min(Math.max(size, 64), 2 ** 30)
  return inflateRawAsync(packed, { maxOutputLength: Math.max(size, 1), chunkSize }).catch((cause) => {
    throw refuse(
      cause.code === 'ERR_BUFFER_TOO_LARGE' ? `${size} bytes announced, more are there` : cause.message,
    )
  })
}

/** An error of yauzl, which knows no codes, about a file. */
function readError(file: string, cause: unknown): EspalierError {
  return cause instanceof EspalierError ? cause : wrong(file, (cause as Error).message, cause)
}

function wrong(file: string, what: string, cause?: unknown): EspalierError {
  return new EspalierError(
    'ERR_ESPALIER_FORMAT',
    `${file}: ${what}`,
    cause === undefined ? undefined : { cause },
  )
}

import { constants } from 'node:buffer'
import { constants as flags } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip, createInflate } from 'node:zlib'
import { EspalierError } from '../../errors.js'

const { O_RDONLY, O_NONBLOCK } = flags

/** Bytes that any compressed file may inflate to, however small it is. */
const FREE_INFLATION = 64 * 2 ** 20

/** How many times its own size a compressed file may inflate to beyond that. Real data stays far below it. */
const LARGEST_RATIO = 256

/** Where a reader stands, for its messages. */
export interface Place {
  /** The file, as the user named it. */
  readonly path: string
  /** Byte offset in the file. */
  readonly offset: number
  /** Says what `offset` counts where that is not the file itself, e.g. "of the decompressed data". */
  readonly of?: string
}

/** An error about a file that is not what it claims to be: file, byte offset, what is wrong. */
export function formatError(place: Place, problem: string, cause?: unknown): EspalierError {
  const of = place.of === undefined ? '' : ` ${place.of}`
  const message = `${place.path}: at byte ${place.offset}${of}: ${problem}`
  return new EspalierError('ERR_ESPALIER_FORMAT', message, cause === undefined ? undefined : { cause })
}

/** An error of the operating system about a file, in our words. */
export function fileError(path: string, cause: unknown): EspalierError {
  if (cause instanceof EspalierError) return cause
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new EspalierError('ERR_ESPALIER_NOT_FOUND', `${path}: there is no such file`, { cause })
  }
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new EspalierError('ERR_ESPALIER_FILE', `${path}: cannot be read: ${reason}`, { cause })
}

/** Throws the reason of an aborted signal unchanged, as the web does; anything else as an error about the file. */
export function rethrow(path: string, cause: unknown, signal: AbortSignal | undefined): never {
  signal?.throwIfAborted()
  throw fileError(path, cause)
}

/** How many bytes a compressed file or element of `packed` bytes may inflate to before it is refused. */
export function inflationLimit(packed: number): number {
  return FREE_INFLATION + LARGEST_RATIO * packed
}

/** The refusal of a file that inflates beyond `inflationLimit`. */
export function inflationError(path: string, offset: number, packed: number): EspalierError {
  return formatError(
    { path, offset },
    `${packed} compressed bytes inflate to more than ${inflationLimit(packed)}; this is not real data (a decompression bomb?)`,
  )
}

/** Opens a file to read it, and nothing else: a named pipe that nobody writes to must not hang its reader. */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, O_RDONLY | (O_NONBLOCK ?? 0))
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new EspalierError('ERR_ESPALIER_FILE', `cannot read ${path}: it is not a file`)
}

/** The whole of a file, and whether it starts like a gzip file. Reads what is there, never what a header says. */
export async function readWhole(path: string, signal?: AbortSignal): Promise<Buffer> {
  try {
    await using file = await openFile(path)
    const { size } = await file.stat()
    if (size > constants.MAX_LENGTH) {
      throw new EspalierError(
        'ERR_ESPALIER_FILE',
        `${path}: ${size} bytes are more than fit into one buffer (${constants.MAX_LENGTH})`,
      )
    }
    const bytes = Buffer.allocUnsafeSlow(size)
    let filled = 0
    while (filled < bytes.length) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(bytes, filled, Math.min(bytes.length - filled, 2 ** 28))
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } catch (cause) {
    rethrow(path, cause, signal)
  }
}

/** The first bytes of a file, as many as it has of those asked for. */
export async function fileStart(path: string, count: number): Promise<Buffer> {
  try {
    await using file = await openFile(path)
    const bytes = Buffer.alloc(count)
    const { bytesRead } = await file.read(bytes, 0, count, 0)
    return bytes.subarray(0, bytesRead)
  } catch (cause) {
    throw fileError(path, cause)
  }
}

/** True where the bytes begin like a gzip stream (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * Inflates a gzip file or a zlib element, within `inflationLimit`.
 *
 * @param place where `packed` starts in its file
 * @throws ERR_ESPALIER_FORMAT where the stream is damaged, cut short or grows beyond the limit.
 */
export async function inflate(packed: Buffer, kind: 'gzip' | 'zlib', place: Place): Promise<Buffer> {
  const stream = (kind === 'gzip' ? createGunzip : createInflate)({ chunkSize: 2 ** 18 })
  const limit = inflationLimit(packed.length)
  const chunks: Buffer[] = []
  let size = 0
  try {
    stream.end(packed)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) throw inflationError(place.path, place.offset, packed.length)
      if (size > constants.MAX_LENGTH) {
        throw formatError(place, `inflates to more than fits into one buffer (${constants.MAX_LENGTH} bytes)`)
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause
    throw damagedStream(place.path, place.offset + stream.bytesWritten, cause)
  } finally {
    stream.destroy()
  }
  return Buffer.concat(chunks, size)
}

/** The error of a compressed stream that is damaged or cut short. */
export function damagedStream(path: string, offset: number, cause: unknown): EspalierError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return formatError({ path, offset }, `the compressed data is damaged or cut short (${reason})`, cause)
}

/** The contents of a binary data file: inflated where it is a gzip file, whatever its name says. */
export async function readContents(
  path: string,
  signal?: AbortSignal,
): Promise<{ bytes: Buffer; of?: string }> {
  const bytes = await readWhole(path, signal)
  if (!isGzip(bytes)) return { bytes }
  return { bytes: await inflate(bytes, 'gzip', { path, offset: 0 }), of: 'of the decompressed data' }
}

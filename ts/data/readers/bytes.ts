import { constants } from 'node:buffer'
import { constants as flags } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip, createInflate } from 'node:zlib'
import { EspalierError } from '../../errors.js'
import { MemoryBudget } from '../memory.js'

const { O_RDONLY, O_NONBLOCK } = flags

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

/** Opens a file to read it, and nothing else: a named pipe that nobody writes to must not hang its reader. */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, O_RDONLY | (O_NONBLOCK ?? 0))
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new EspalierError('ERR_ESPALIER_FILE', `cannot read ${path}: it is not a file`)
}

/** What reading this file may take in memory. @param maxBytes see `ReadOptions` */
export async function budgetFor(path: string, maxBytes?: number): Promise<MemoryBudget> {
  try {
    await using file = await openFile(path)
    return new MemoryBudget(path, (await file.stat()).size, maxBytes)
  } catch (cause) {
    throw fileError(path, cause)
  }
}

/** The whole of the budget's file. Reads what is there, never what a header says. */
export async function readWhole(budget: MemoryBudget, signal?: AbortSignal): Promise<Buffer> {
  const { path } = budget
  try {
    await using file = await openFile(path)
    const { size } = await file.stat()
    budget.take(size)
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
 * Inflates a gzip file or a zlib element.
 *
 * @param offset where `packed` starts in the budget's file
 * @throws ERR_ESPALIER_FORMAT where the stream is damaged or cut short, ERR_ESPALIER_MEMORY
 */
export async function inflate(
  packed: Buffer,
  kind: 'gzip' | 'zlib',
  offset: number,
  budget: MemoryBudget,
): Promise<Buffer> {
  const stream = (kind === 'gzip' ? createGunzip : createInflate)({ chunkSize: 2 ** 18 })
  const chunks: Buffer[] = []
  let size = 0
  try {
    stream.end(packed)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length
      // Twice: the pieces, and the one buffer that they become.
      budget.take(2 * chunk.length)
      if (size > constants.MAX_LENGTH) {
        const problem = `inflates to more than fits into one buffer (${constants.MAX_LENGTH} bytes)`
        throw formatError({ path: budget.path, offset }, problem)
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause
    throw damagedStream(budget.path, offset + stream.bytesWritten, cause)
  } finally {
    stream.destroy()
  }
  const whole = Buffer.concat(chunks, size)
  budget.giveBack(size)
  return whole
}

/** The error of a compressed stream that is damaged or cut short. */
export function damagedStream(path: string, offset: number, cause: unknown): EspalierError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return formatError({ path, offset }, `the compressed data is damaged or cut short (${reason})`, cause)
}

/** The contents of a binary data file: inflated where it is a gzip file, whatever its name says. */
export async function readContents(
  budget: MemoryBudget,
  signal?: AbortSignal,
): Promise<{ bytes: Buffer; of?: string }> {
  const bytes = await readWhole(budget, signal)
  if (!isGzip(bytes)) return { bytes }
  const inflated = await inflate(bytes, 'gzip', 0, budget)
  budget.giveBack(bytes.length)
  return { bytes: inflated, of: 'of the decompressed data' }
}

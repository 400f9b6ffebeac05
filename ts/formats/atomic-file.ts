import { randomBytes } from 'node:crypto'
import { copyFile, type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { EspalierError } from '../errors.js'

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than allowed here',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  EIO: 'input or output error',
}

/** An error of the operating system, in words. */
export function fileError(deed: string, file: string, cause: unknown): EspalierError {
  if (cause instanceof EspalierError) return cause
  const { code, message } = cause as NodeJS.ErrnoException
  const reason = reasons[code ?? ''] ?? message
  return new EspalierError(
    'ERR_ESPALIER_FILE',
    `cannot ${deed} ${file}: ${reason}${code ? ` (${code})` : ''}`,
    { cause },
  )
}

/**
 * Writes a file whole or not at all: into a temporary file in the same folder, to disk, then renamed over the old
 * one. On any failure the temporary file is removed and the old file stays as it was.
 *
 * @param fill writes the contents
 * @throws ERR_ESPALIER_FILE with the reason
 */
export async function writeWhole(file: string, fill: (sink: FileSink) => Promise<void>): Promise<void> {
  await replaceFile(file, async (temporary) => {
    const handle = await open(temporary, 'wx', 0o666)
    try {
      await fill(new FileSink(handle))
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
}

/**
 * Gives a whole file that nobody writes into a second name, as a link where the file system has such and as a copy
 * elsewhere; replacing either later leaves the other as it is.
 *
 * @throws ERR_ESPALIER_FILE with the reason
 */
export async function alsoNamed(file: string, second: string): Promise<void> {
  await replaceFile(second, async (temporary) => {
    try {
      await link(file, temporary)
    } catch {
      await copyFile(file, temporary)
      const handle = await open(temporary, 'r+')
      await handle.sync().finally(() => handle.close())
    }
  })
}

/** Removes temporary files of this file that a killed process left behind; any younger than an hour may be in use. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file)
  const prefix = temporaryPrefix(file)
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue
    const leftover = path.join(folder, name)
    const { mtimeMs } = await stat(leftover).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    if (Date.now() - mtimeMs > 3_600_000) await rm(leftover, { force: true }).catch(() => {})
  }
}

const temporaryPrefix = (file: string) => `.${path.basename(file)}.`

/** Has a temporary file made beside the file and renames it over the file. */
async function replaceFile(file: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const folder = path.dirname(file)
  const temporary = path.join(folder, `${temporaryPrefix(file)}${randomBytes(6).toString('hex')}.tmp`)
  try {
    await make(temporary)
    await rename(temporary, file)
  } catch (cause) {
    // The first error is the one to report; this only tidies up after it.
    await rm(temporary, { force: true }).catch(() => {})
    throw fileError('write', file, cause)
  }
  await syncFolder(folder)
}

/** The same for a text. */
export async function writeWholeText(file: string, text: string): Promise<void> {
  await writeWhole(file, (sink) => sink.write(Buffer.from(text)))
}

/** Appends bytes to an open file. */
export class FileSink {
  constructor(private readonly handle: FileHandle) {}

  /** Writes all of the bytes, in pieces small enough for every operating system. */
  async write(bytes: Uint8Array): Promise<void> {
    const piece = 64 * 2 ** 20
    let offset = 0
    while (offset < bytes.length) {
      const { bytesWritten } = await this.handle.write(bytes, offset, Math.min(piece, bytes.length - offset))
      offset += bytesWritten
    }
  }
}

/** Makes the rename itself last. The file is already whole, so a file system that cannot do this is no failure. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => {})
  await handle?.close().catch(() => {})
}

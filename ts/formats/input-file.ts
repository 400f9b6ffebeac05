import type { FileHandle } from 'node:fs/promises'
import { allocate } from '../data/memory.js'
import { openFile } from '../data/readers/bytes.js'
import { EspalierError } from '../errors.js'
import { fileError } from './atomic-file.js'

/** A file that is read in parts. */
export class InputFile {
  private constructor(
    /** As its user named it. */
    readonly path: string,
    /** Bytes. */
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  /** @throws ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FILE */
  static async open(path: string): Promise<InputFile> {
    const handle = await openFile(path).catch((cause) => {
      if (cause.code !== 'ENOENT') throw fileError('read', path, cause)
      throw new EspalierError('ERR_ESPALIER_NOT_FOUND', `${path}: no such file`, { cause })
    })
    const { size } = await handle.stat()
    return new InputFile(path, size, handle)
  }

  /**
   * All of these bytes, in memory of their own.
   *
   * @throws ERR_ESPALIER_FORMAT where the file ends before, ERR_ESPALIER_FILE, ERR_ESPALIER_MEMORY
   */
  async read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = allocate(() => new Uint8Array(length), length, this.path)
    try {
      for (let done = 0; done < length; ) {
        const piece = Math.min(length - done, 2 ** 30)
        const { bytesRead } = await this.handle.read(bytes, done, piece, start + done)
        if (bytesRead === 0) {
          const message = `${this.path}: at byte ${start + done}: the file ends here, and was longer a moment ago`
          throw new EspalierError('ERR_ESPALIER_FORMAT', message)
        }
        done += bytesRead
      }
    } catch (cause) {
      throw fileError('read', this.path, cause)
    }
    return bytes
  }

  async close(): Promise<void> {
    await this.handle.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { EspalierError } from '../../errors.js'
import type { MemoryBudget } from '../memory.js'
import { damagedStream, fileStart, formatError, isGzip, rethrow } from './bytes.js'
import { Utf8Decoder } from './utf8.js'

/** Bytes of one line beyond which a file is refused: no table has such lines, and a string has its limits. */
export const LONGEST_LINE = 16 * 2 ** 20

const CHUNK = 2 ** 18

/** An error about a text file: file, line and column (both from 1), what is wrong. */
export function textError(path: string, line: number, column: number, problem: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_FORMAT', `${path}: line ${line}, column ${column}: ${problem}`)
}

/**
 * The text of a file piece by piece, decoded as UTF-8, inflated where it is a gzip file, without a byte order mark.
 *
 * @param budget what the text may inflate to, though it is not kept: reading it must end some day
 * @throws ERR_ESPALIER_FORMAT for damaged or binary contents, for text that is not UTF-8, and for lines that are far too
 * long; ERR_ESPALIER_MEMORY
 */
export async function* textChunks(
  path: string,
  signal?: AbortSignal,
  budget?: MemoryBudget,
): AsyncGenerator<string> {
  const gzip = isGzip(await fileStart(path, 2))
  const source = createReadStream(path, { highWaterMark: CHUNK })
  const gunzip = gzip ? createGunzip({ chunkSize: CHUNK }) : undefined
  // Errors reach the loop below through the last stream; the callback only keeps them from being thrown twice.
  const bytes = gunzip === undefined ? source : pipeline(source, gunzip, () => {})
  const of = gzip ? { of: 'of the decompressed data' } : {}
  const decoder = new Utf8Decoder((offset) =>
    formatError(
      { path, offset, ...of },
      'the text is not UTF-8; save it as UTF-8, or convert it (iconv -t UTF-8)',
    ),
  )
  let read = 0
  let line = 0
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      signal?.throwIfAborted()
      if (gzip) budget?.checkTotal(read + chunk.length, 'what it inflates to')
      const zero = chunk.indexOf(0)
      if (zero >= 0) {
        throw formatError({ path, offset: read + zero, ...of }, 'a zero byte; this is not a text file')
      }
      const lastEnd = Math.max(chunk.lastIndexOf(10), chunk.lastIndexOf(13))
      line = lastEnd >= 0 ? chunk.length - lastEnd - 1 : line + chunk.length
      read += chunk.length
      if (line > LONGEST_LINE) {
        throw formatError({ path, offset: read - line, ...of }, `a line of more than ${LONGEST_LINE} bytes`)
      }
      yield decoder.decode(chunk)
    }
    decoder.end()
  } catch (cause) {
    if (gunzip !== undefined && (cause as NodeJS.ErrnoException).code?.startsWith('Z_') === true) {
      throw damagedStream(path, gunzip.bytesWritten, cause)
    }
    rethrow(path, cause, signal)
  } finally {
    source.destroy()
    gunzip?.destroy()
  }
}

/** The lines of the budget's file, without their ends; the first has number 1. */
export async function* textLines(budget: MemoryBudget, signal?: AbortSignal): AsyncGenerator<string[]> {
  let rest = ''
  for await (const chunk of textChunks(budget.path, signal, budget)) {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = lines.pop()!
    yield lines
  }
  if (rest !== '') yield [rest]
}

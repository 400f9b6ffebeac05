import { basename } from 'node:path'
import { EspalierError } from '../errors.js'
import { checkText } from './options.js'
import { fileStart } from './readers/bytes.js'
import { textChunks } from './readers/text.js'

/** The formats that samples are read from. */
export type DataFormat = 'idx' | 'csv' | 'libsvm' | 'mat' | 'npy'

const ENDINGS: readonly (readonly [RegExp, DataFormat])[] = [
  [/[-.]idx\d?(-[a-z]+)?$/i, 'idx'],
  [/\.(csv|tsv|tab)$/i, 'csv'],
  [/\.(libsvm|svm|svmlight)$/i, 'libsvm'],
  [/\.mat$/i, 'mat'],
  [/\.npy$/i, 'npy'],
]

/**
 * The format of a file: by its name (`.gz` aside), else by how its contents begin.
 *
 * @throws ERR_ESPALIER_NOT_FOUND where there is no file, ERR_ESPALIER_FORMAT where it is none that we know.
 */
export async function detectFormat(path: string): Promise<DataFormat> {
  checkText('detectFormat', 'path', path, 'the path of a file')
  const name = basename(path).replace(/\.gz$/i, '')
  const start = await fileStart(path, 8)
  const byName = ENDINGS.find(([ending]) => ending.test(name))?.[1]
  if (byName !== undefined) return byName
  if (start.toString('latin1', 1, 6) === 'NUMPY') return 'npy'
  if (start.toString('latin1', 0, 6) === 'MATLAB') return 'mat'
  if (start.length >= 4 && start.readUInt16BE(0) === 0 && start[2]! >= 8 && start[2]! <= 14) return 'idx'
  return byFirstLine(path)
}

async function byFirstLine(path: string): Promise<DataFormat> {
  const chunks = textChunks(path)
  try {
    for await (const chunk of chunks) {
      const line = /^[^\r\n]*/.exec(chunk.trimStart())![0]
      if (/^\S+(\s+(qid:)?\d+:\S+)+\s*(#.*)?$/.test(line)) return 'libsvm'
      if (/[,;\t|]/.test(line)) return 'csv'
      break
    }
  } catch (cause) {
    throw unknown(path, cause)
  } finally {
    await chunks.return(undefined)
  }
  throw unknown(path)
}

function unknown(path: string, cause?: unknown): EspalierError {
  const reason = cause instanceof Error ? ` (as text: ${cause.message.replace(`${path}: `, '')})` : ''
  return new EspalierError(
    'ERR_ESPALIER_FORMAT',
    `${path}: at byte 0: not a known format; known: IDX, CSV and TSV, libsvm (each also .gz), MAT 5, NumPy .npy${reason}`,
    cause === undefined ? undefined : { cause },
  )
}

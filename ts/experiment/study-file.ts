import { readFile } from 'node:fs/promises'
import { EspalierError } from '../errors.js'
import { fileError } from '../formats/atomic-file.js'
import { duplicateKey } from '../formats/json-keys.js'
import type { Study } from './study.js'

/**
 * Reads a study from a JSON file; `compare` checks what it says.
 *
 * @throws ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FILE; ERR_ESPALIER_FORMAT where it is not JSON or says a key twice
 */
export async function readStudyFile(path: string): Promise<Study> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw fileError('read', path, cause)
    throw new EspalierError('ERR_ESPALIER_NOT_FOUND', `${path}: no such study file`, { cause })
  })
  let study: Study
  try {
    study = JSON.parse(text)
  } catch (cause) {
    throw new EspalierError('ERR_ESPALIER_FORMAT', `${path}: not JSON: ${(cause as Error).message}`, {
      cause,
    })
  }
  const twice = duplicateKey(text)
  if (twice !== null) {
    const line = text.slice(0, twice.offset).split('\n').length
    throw new EspalierError(
      'ERR_ESPALIER_FORMAT',
      `${path}: key "${twice.key}" stands twice in one object (line ${line})`,
    )
  }
  return study
}

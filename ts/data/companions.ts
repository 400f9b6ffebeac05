import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { EspalierError } from '../errors.js'

/** Names that the label file of a feature file usually has; the first that exists is taken. */
function labelNames(name: string): string[] {
  const [, stem, ending] = /^(.*?)((?:\.npy)?(?:\.gz)?)$/i.exec(name)!
  const names = [
    name.replace('images', 'labels').replace(/idx\d/, 'idx1'),
    `${stem}-labels${ending}`,
    `${stem}_labels${ending}`,
    name.replace(/^x(?=[-_.]|$)/, 'y').replace(/([-_])x(?=[-_.]|$)/, '$1y'),
    name.replace(/^X(?=[-_.]|$)/, 'y').replace(/([-_])X(?=[-_.]|$)/, '$1y'),
    name.replace(/^X(?=[-_.]|$)/, 'Y').replace(/([-_])X(?=[-_.]|$)/, '$1Y'),
    `y${ending}`,
  ]
  return otherNames(names, name)
}

/** Names that the test file of a training file usually has. */
function testNames(name: string): string[] {
  return otherNames([name.replace('train', 't10k'), name.replace('train', 'test')], name)
}

function otherNames(names: readonly string[], name: string): string[] {
  return [...new Set(names)].filter((other) => other !== name)
}

function firstThere(path: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(dirname(path), name)).find((candidate) => existsSync(candidate))
}

/**
 * The label file that belongs to an IDX or NumPy file, by its name: `train-images-idx3-ubyte` and
 * `train-labels-idx1-ubyte`, `A.npy` and `A-labels.npy`, `X_train.npy` and `y_train.npy`.
 *
 * @throws ERR_ESPALIER_NOT_FOUND naming what was looked for.
 */
export function findLabelFile(path: string): string {
  const names = labelNames(basename(path))
  const found = firstThere(path, names)
  if (found !== undefined) return found
  throw new EspalierError(
    'ERR_ESPALIER_NOT_FOUND',
    `${path}: no file with its labels beside it (looked for ${names.join(', ')}); name it with the option "labels"`,
  )
}

/** The test file that belongs to a training file, by its name: `t10k` or `test` in place of `train`. */
export function findTestFile(path: string): string | undefined {
  return firstThere(path, testNames(basename(path)))
}

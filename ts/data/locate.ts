import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { EspalierError } from '../errors.js'
import type { CatalogueEntry, CatalogueFile, CatalogueVariant } from './catalogue/entry.js'

/** Where data files are looked for. */
export interface DataPlaces {
  /** Looked in first; laid out like a data directory. Default: none. */
  readonly dataDirectory?: string | undefined
  /** Where downloads are kept, and looked in last. Default: the user's cache directory. */
  readonly cacheDirectory?: string | undefined
}

/** A variant of a data set whose files are all there. */
export interface Located {
  readonly variant: CatalogueVariant
  /** One path per file of the variant. */
  readonly paths: readonly string[]
}

/** Where downloads are kept. */
export function cacheDirectory(places: DataPlaces): string {
  return places.cacheDirectory ?? join(envPaths('espalier', { suffix: '' }).cache, 'data')
}

/**
 * The directories that are looked in, first to last: `dataDirectory`, the environment variable ESPALIER_DATA, the
 * cache of downloads.
 *
 * @throws ERR_ESPALIER_NOT_FOUND where a directory that was named does not exist.
 */
export async function dataDirectories(places: DataPlaces): Promise<string[]> {
  const directories: string[] = []
  const { ESPALIER_DATA: fromEnvironment } = process.env
  const named = [
    ['option "dataDirectory"', places.dataDirectory],
    ['environment variable ESPALIER_DATA', fromEnvironment],
  ] as const
  for (const [where, directory] of named) {
    if (directory === undefined || directory === '') continue
    const status = await stat(directory).catch(() => undefined)
    if (status?.isDirectory() !== true) {
      throw new EspalierError('ERR_ESPALIER_NOT_FOUND', `${where}: ${directory} is not a directory`)
    }
    directories.push(directory)
  }
  directories.push(cacheDirectory(places))
  return directories
}

/** The best variant whose files all lie in one of the directories; the first directory that has one wins. */
export async function locate(
  entry: CatalogueEntry,
  directories: readonly string[],
): Promise<Located | undefined> {
  for (const directory of directories) {
    for (const variant of entry.variants) {
      const paths = await Promise.all(variant.files.map((file) => findFile(directory, entry.folder, file)))
      if (paths.every((path) => path !== undefined)) return { variant, paths }
    }
  }
  return undefined
}

/**
 * A file in `<directory>/<folder>/`, packed or unpacked, or in the directory itself. There the size must be right:
 * mnist and fashion-mnist, for one, call their files alike.
 */
async function findFile(directory: string, folder: string, file: CatalogueFile): Promise<string | undefined> {
  for (const name of [file.name, file.name.replace(/\.gz$/, '')]) {
    const path = join(directory, folder, name)
    if ((await fileSize(path)) !== undefined) return path
  }
  const path = join(directory, file.name)
  const size = await fileSize(path)
  return size !== undefined && (file.bytes === undefined || size === file.bytes) ? path : undefined
}

async function fileSize(path: string): Promise<number | undefined> {
  const status = await stat(path).catch(() => undefined)
  return status?.isFile() === true ? status.size : undefined
}

import { join } from 'node:path'
import { distance } from 'fastest-levenshtein'
import { EspalierError } from '../errors.js'
import { COVTYPE } from './catalogue/covtype.js'
import type { CatalogueEntry } from './catalogue/entry.js'
import { IMAGE_ENTRIES } from './catalogue/images.js'
import { SCIKIT_FEATURE_ENTRIES } from './catalogue/scikit-feature.js'
import { UCI_ENTRIES } from './catalogue/uci.js'
import { GENERATORS, type GeneratorEntry } from './generators/generators.js'
import { type DataPlaces, dataDirectories, locate } from './locate.js'

/** Every data set of the catalogue that comes from files. */
export const ENTRIES: readonly CatalogueEntry[] = [
  ...IMAGE_ENTRIES,
  COVTYPE,
  ...SCIKIT_FEATURE_ENTRIES,
  ...UCI_ENTRIES,
]

/** A data set that can be loaded by name, as `listDatasets` shows it. */
export interface CatalogueRow {
  readonly name: string
  /** Samples, training and test part together. */
  readonly samples: number
  readonly features: number
  readonly classes: number
  /** What the publisher states; 'built in' for generators. */
  readonly licence: string
  /** Page, or paper, that describes it. */
  readonly source: string
  /** Made by a generator, needs no file. */
  readonly generated: boolean
  /** Files that were found; empty where they would be downloaded, or generated. */
  readonly files: readonly string[]
  /** What was found, where it is not the whole set, e.g. 'covtype (16 % sample)'. */
  readonly found?: string
}

/**
 * What can be loaded by name, and what of it is already on this machine.
 *
 * @throws ERR_ESPALIER_NOT_FOUND where a data directory that was named does not exist.
 */
export async function listDatasets(places: DataPlaces = {}): Promise<CatalogueRow[]> {
  const directories = await dataDirectories(places)
  const generated = GENERATORS.map(({ name, samples, features, classes, source }) => {
    return { name, samples, features, classes, licence: 'built in', source, generated: true, files: [] }
  })
  const stored = ENTRIES.map(async (entry) => {
    const { name, samples, features, classes, licence, source } = entry
    const located = await locate(entry, directories)
    return {
      name,
      samples,
      features,
      classes,
      licence,
      source,
      generated: false,
      files: located?.paths ?? [],
      ...(located && located.variant.title !== name && { found: located.variant.title }),
    }
  })
  return [...generated, ...(await Promise.all(stored))]
}

/** Names are compared without case, and with `_` and `-` alike. */
function plainName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

/** The entry or generator of a name, if there is one. */
export function findByName(name: string): CatalogueEntry | GeneratorEntry | undefined {
  const plain = plainName(name)
  return [...GENERATORS, ...ENTRIES].find((entry) => plainName(entry.name) === plain)
}

/** The error for a name that nothing is called by, with the nearest names. */
export function unknownName(name: string): EspalierError {
  const plain = plainName(name)
  const nearest = [...GENERATORS, ...ENTRIES]
    .map((entry) => ({ name: entry.name, far: distance(plain, plainName(entry.name)) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
  return new EspalierError(
    'ERR_ESPALIER_NOT_FOUND',
    `there is no data set or file "${name}"; the nearest names are ${nearest.map((near) => near.name).join(', ')} ` +
      '(listDatasets() shows all)',
  )
}

/** The one error for files that are neither here nor to be downloaded: what to put where. */
export function missingFiles(
  entry: CatalogueEntry,
  directories: readonly string[],
  reason: string,
  cause?: unknown,
): EspalierError {
  const names = entry.variants
    .map((variant) => variant.files.map((file) => file.name).join(', '))
    .join(' (or: ')
  const closing = ')'.repeat(entry.variants.length - 1)
  const places = directories.map((directory) => join(directory, entry.folder)).join(', ')
  return new EspalierError(
    'ERR_ESPALIER_OFFLINE',
    `${entry.name}: not found in ${places}, and ${reason}. ` +
      `Put ${names}${closing} into DIR/${entry.folder}/ and name DIR with --data, dataDirectory or ESPALIER_DATA; ` +
      'or use "digits", which needs no file',
    cause === undefined ? undefined : { cause },
  )
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { EspalierError } from '../errors.js'
import { instance, object, oneOf, parse } from '../validation.js'
import type { CatalogueEntry } from './catalogue/entry.js'
import { findByName, missingFiles, unknownName } from './catalogue.js'
import type { Dataset } from './dataset.js'
import { DownloadFailure, type DownloadProgress, download } from './download.js'
import { type FileOptions, loadFile } from './file.js'
import { type LoadedSplit, SCALING_METHODS, type ScalingMethod, scaleSplit } from './loaded.js'
import { cacheDirectory, dataDirectories, type Located, locate } from './locate.js'
import { checkText, seedOption, signalOption } from './options.js'
import { assemble, type RawSamples } from './samples.js'
import { splitDataset } from './split.js'
import { transposeImages } from './transpose.js'

/** Options of `loadDataset`. */
export interface LoadOptions {
  /** Looked in first, before ESPALIER_DATA and the cache: `DIR/<folder>/<file>` or `DIR/<file>`. Default: none. */
  readonly dataDirectory?: string
  /** Where downloads are kept. Default: the user's cache directory. */
  readonly cacheDirectory?: string
  /** Address to download from in place of the official ones: `<mirror>/<folder>/<file>`. Default: none. */
  readonly mirror?: string
  /** Seed of generators, and of the 80/20 split of sets without a test part. A safe integer >= 0. Default: 0. */
  readonly seed?: number
  /** Default: 'standard'. */
  readonly scaling?: ScalingMethod
  /** Called while a download runs. */
  readonly onProgress?: (progress: DownloadProgress) => void
  /** Stops loading. */
  readonly signal?: AbortSignal
}

const isCallback = (value: unknown): value is (progress: DownloadProgress) => void =>
  typeof value === 'function'
const directoryOption = z.string({ error: 'the path of a directory' }).optional()

const placeShape = {
  dataDirectory: directoryOption,
  cacheDirectory: directoryOption,
  mirror: z
    .url({ protocol: /^https?$/, error: 'an address that begins with https:// or http://' })
    .optional(),
  onProgress: instance(isCallback, 'a function').optional(),
}
const schema = object({
  ...placeShape,
  seed: seedOption.default(0),
  scaling: oneOf(SCALING_METHODS).default('standard'),
  signal: signalOption,
})
type Checked = z.output<typeof schema>

/**
 * Loads a data set of the catalogue (see `listDatasets`), or makes one with a generator ('digits', 'madelon').
 * Names are taken in any case. Files are looked for in `dataDirectory`, ESPALIER_DATA and the cache, and downloaded
 * into the cache, checked by SHA-256, where they are in none of them. Sets without a test part of their own are
 * divided 80/20, seeded and stratified.
 *
 * @throws ERR_ESPALIER_NOT_FOUND for an unknown name; ERR_ESPALIER_OFFLINE with the next step where the files are
 * not here and cannot be downloaded; ERR_ESPALIER_CHECKSUM for a download that is not the expected file; and what
 * `readDataset` throws.
 */
export async function loadDataset(name: string, options: LoadOptions = {}): Promise<LoadedSplit> {
  checkText('loadDataset', 'name', name, 'a name of the catalogue (listDatasets() shows all)')
  const checked = parse('loadDataset', schema, options)
  const entry = findByName(name)
  if (entry === undefined) throw unknownName(name)
  checked.signal?.throwIfAborted()
  if ('generate' in entry) return scaleSplit(entry.generate(checked.seed), checked.scaling)
  const directories = await dataDirectories(checked)
  const located = (await locate(entry, directories)) ?? (await downloadFiles(entry, directories, checked))
  const [train, test] = await readEntry(entry, located, checked.signal)
  const split = test === undefined ? splitDataset(train, { seed: checked.seed }) : { train, test }
  return scaleSplit(split, checked.scaling)
}

/** Options of `resolveDataset`: those of both; options of the catalogue mean nothing for a file. */
export type ResolveOptions = LoadOptions & FileOptions

/**
 * Loads what a user names: a data set of the catalogue, a generator, or a file in a known format. A name with a
 * directory in it (`./letter`) is always a file.
 *
 * @throws like `loadDataset` and `loadFile`
 */
export async function resolveDataset(nameOrPath: string, options: ResolveOptions = {}): Promise<LoadedSplit> {
  checkText('resolveDataset', 'nameOrPath', nameOrPath, 'a name of the catalogue, or the path of a file')
  parse('resolveDataset', z.looseObject({}, { error: 'an object' }), options)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  if (findByName(nameOrPath) !== undefined) return loadDataset(nameOrPath, given)
  if (!/[\\/]/.test(nameOrPath) && !existsSync(nameOrPath)) throw unknownName(nameOrPath)
  for (const key of Object.keys(placeShape)) delete given[key]
  return loadFile(nameOrPath, given)
}

async function readEntry(
  entry: CatalogueEntry,
  { variant, paths }: Located,
  signal: AbortSignal | undefined,
): Promise<readonly [Dataset, Dataset | undefined]> {
  const parts = (await entry.read(paths, signal)).map((part) => orient(part, entry))
  const [train, test] = assemble(parts, variant.title, 'classification')
  const { shape } = variant
  if (shape !== undefined && (train!.samples !== shape.samples || train!.features !== shape.features)) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${paths[0]}: ${train!.samples} samples of ${train!.features} features; ` +
        `${variant.title} has ${shape.samples} of ${shape.features}`,
    )
  }
  return [train!, test]
}

function orient(part: RawSamples, { image }: CatalogueEntry): RawSamples {
  if (image === undefined) return part
  const [height, width] = image.shape
  if (height * width !== part.features) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${part.source}: ${part.features} features; images of ${height} x ${width} are expected`,
    )
  }
  if (image.transposed) transposeImages(part.values, height, width)
  return { ...part, imageShape: image.shape }
}

/** Downloads the best variant that has addresses (a mirror has all) into the cache. */
async function downloadFiles(
  entry: CatalogueEntry,
  directories: readonly string[],
  { mirror, onProgress, signal, ...places }: Checked,
): Promise<Located> {
  const variant = entry.variants.find(({ files }) => mirror !== undefined || files.every((file) => file.url))
  if (variant === undefined)
    throw missingFiles(entry, directories, entry.advice ?? 'there is no address to download from')
  const folder = join(cacheDirectory(places), entry.folder)
  const paths: string[] = []
  for (const file of variant.files) {
    const path = join(folder, file.name)
    const url = mirror === undefined ? file.url! : `${mirror.replace(/\/$/, '')}/${entry.folder}/${file.name}`
    try {
      if (!existsSync(path)) await download(url, path, { sha256: file.sha256, onProgress, signal })
    } catch (cause) {
      if (!(cause instanceof DownloadFailure)) throw cause
      throw missingFiles(entry, directories, `${url} cannot be downloaded (${cause.message})`, cause)
    }
    paths.push(path)
  }
  return { variant, paths }
}

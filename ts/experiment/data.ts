/** The samples of a run: loaded, drawn, scaled, shuffled. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { findByName, listDatasets } from '../data/catalogue.js'
import type { Dataset } from '../data/dataset.js'
import type { DownloadProgress } from '../data/download.js'
import { resolveDataset } from '../data/load.js'
import { type LoadedSplit, scaleSplit } from '../data/loaded.js'
import { sharedFloats } from '../data/memory.js'
import { Random, range } from '../data/random.js'
import { takeSamples } from '../data/split.js'
import { EspalierError } from '../errors.js'
import type { PlannedDataset } from './read-study.js'

/** Where data sets are looked for; decides no result. */
export interface Places {
  readonly dataDirectory?: string
  readonly cacheDirectory?: string
  readonly mirror?: string
}

/**
 * Loads the samples of a run. Samples are drawn before they are scaled, so that the scaling is fitted on the training samples
 * that are used; features are shuffled last.
 *
 * @param seed of the data: that of the data set, or with split 'perSeed' that of the run
 * @throws what `resolveDataset` throws; ERR_ESPALIER_OPTION where there are fewer samples than asked for
 */
export async function loadStudyData(
  { name, as, train, test, scaling, permutation, seed: _, ...file }: PlannedDataset,
  seed: number,
  places: Places,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<LoadedSplit> {
  const options = {
    ...places,
    ...file,
    seed,
    scaling: 'none',
    ...(onProgress ? { onProgress } : {}),
  } as const
  const whole = await resolveDataset(name, options)
  const split = scaleSplit(
    { train: draw(whole.train, 'train', train, seed, as), test: draw(whole.test, 'test', test, seed, as) },
    scaling,
  )
  if (permutation === undefined) return split
  return { ...split, train: shuffled(split.train, permutation), test: shuffled(split.test, permutation) }
}

function draw(part: Dataset, which: string, count: number | undefined, seed: number, as: string): Dataset {
  if (count === undefined || count === part.samples) return part
  if (count > part.samples) {
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `study: data set ${JSON.stringify(as)}: option "${which}" is ${count}; allowed: at most its ${part.samples} samples`,
    )
  }
  return takeSamples(part, count, seed)
}

/** The features in another order, the same for every sample; no longer an image. */
function shuffled({ imageShape, featureNames, ...dataset }: Dataset, seed: number): Dataset {
  const { features, samples, values } = dataset
  const order = new Random(seed).shuffle(range(features))
  const moved = sharedFloats(values.length, dataset.name)
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < features; j++) moved[i * features + j] = values[i * features + order[j]!]!
  }
  const names = featureNames && Array.from(order, (j) => featureNames[j]!)
  return { ...dataset, values: moved, ...(names && { featureNames: names }) }
}

/**
 * What the samples come from, so that runs on other contents of one name are other runs: the SHA-256 of files that are named
 * by path, the name and the variant found of a set of the catalogue.
 */
export async function sourceOf({ name, testFile }: PlannedDataset, places: Places): Promise<string> {
  const entry = findByName(name)
  if (entry === undefined) {
    const files = [name, ...(testFile === undefined ? [] : [testFile])].filter((file) => existsSync(file))
    return (await Promise.all(files.map(checksum))).join(' ')
  }
  const row = (await listDatasets(places)).find((candidate) => candidate.name === entry.name)
  return row?.found === undefined ? entry.name : `${entry.name}: ${row.found}`
}

async function checksum(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

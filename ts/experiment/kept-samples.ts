/** Samples that were drawn, kept while a comparison runs: to draw few of many takes longer than to train on them. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Dataset } from '../data/dataset.js'
import type { DownloadProgress } from '../data/download.js'
import type { LoadedSplit } from '../data/loaded.js'
import { fileError } from '../formats/atomic-file.js'
import { readSafetensors, type Tensor, writeSafetensors } from '../formats/safetensors.js'
import { loadStudyData, type Places } from './data.js'
import type { PlannedDataset } from './read-study.js'

/** Makes the folder, empty, for the length of a task. @throws ERR_ESPALIER_FILE, and what the task throws */
export async function withSampleFolder<T>(folder: string, task: () => Promise<T>): Promise<T> {
  const empty = async () => {
    // What a comparison that was killed has left.
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
  }
  await empty().catch((cause) => {
    throw fileError('make the folder', folder, cause)
  })
  try {
    return await task()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * As `loadStudyData`; a data set of which only some training samples are taken is kept in the folder by the first run that
 * draws them, and read from there by the others.
 *
 * @param folder exists; belongs to one comparison
 */
export async function keptSamples(
  folder: string,
  dataset: PlannedDataset,
  seed: number,
  places: Places,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<LoadedSplit> {
  if (dataset.train === undefined) return loadStudyData(dataset, seed, places, onProgress)
  const name = createHash('sha256')
    .update(JSON.stringify([dataset, seed]))
    .digest('hex')
    .slice(0, 32)
  const file = path.join(folder, `${name}.safetensors`)
  if (existsSync(file)) return readSplit(file)
  const split = await loadStudyData(dataset, seed, places, onProgress)
  await writeSplit(file, split)
  return split
}

const arrays = ['values', 'labels', 'targets'] as const

async function writeSplit(file: string, { train, test, scaling }: LoadedSplit): Promise<void> {
  const tensors = Object.entries({ train, test }).flatMap(([part, dataset]) =>
    arrays.flatMap((key): Tensor[] => {
      const data = dataset[key]
      return data === undefined ? [] : [{ name: `${part}.${key}`, shape: [data.length], data }]
    }),
  )
  const rest = ({ values, labels, targets, ...others }: Dataset) => others
  await writeSafetensors(file, tensors, {
    split: JSON.stringify({ train: rest(train), test: rest(test), scaling }),
  })
}

async function readSplit(file: string): Promise<LoadedSplit> {
  const { tensors, metadata } = await readSafetensors(file)
  const { train, test, scaling } = JSON.parse(metadata.split!) as LoadedSplit
  const part = (name: 'train' | 'test', rest: Dataset): Dataset => ({
    ...rest,
    ...Object.fromEntries(
      arrays.flatMap((key) => {
        const data = tensors.find((tensor) => tensor.name === `${name}.${key}`)?.data
        return data === undefined ? [] : [[key, data]]
      }),
    ),
  })
  return { train: part('train', train), test: part('test', test), ...(scaling && { scaling }) }
}

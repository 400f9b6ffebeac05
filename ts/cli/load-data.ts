/** Data for the commands: by name or path, with a bar while it downloads, scaled as it was for training. */
import { totalmem } from 'node:os'
import path from 'node:path'
import type { RunRecord } from '../index.js'
import {
  applyScaling,
  type Dataset,
  detectFormat,
  EspalierError,
  fitGlobalStandard,
  fitStandard,
  type LoadedSplit,
  listDatasets,
  type ResolveOptions,
  readDataset,
  resolveDataset,
  type Task,
} from '../index.js'
import { checkColumns } from './columns.js'
import { type Console, usage } from './console.js'
import { DownloadBar } from './download-bar.js'

/** Options that say which data and how it is divided. */
export interface DataOptions {
  data?: string
  /** null where the file has no labels. */
  label?: string | null
  task?: Task
  seed: number
  /** Of a libsvm file; see `ReadOptions`. */
  features?: number
  firstIndex?: 0 | 1
}

/** Whoever names a file on a command line trusts it: only what the machine cannot hold is refused. */
const maxBytes = totalmem()

/** Loads what `source` names as training and test part. */
export async function loadSplit(
  source: string,
  { data, label, task, seed, features, firstIndex }: DataOptions,
  console: Console,
  signal: AbortSignal,
  scaling: 'standard' | 'none' = 'standard',
): Promise<LoadedSplit> {
  const catalogued = await isCatalogued(source, data)
  if (catalogued && (label !== undefined || task !== undefined)) {
    const option = label === undefined ? '--task' : label === null ? '--no-label' : '--label'
    throw usage(`option '${option}' is for files; the data set ${source} has its own labels`)
  }
  using bar = new DownloadBar(console)
  const options: ResolveOptions = {
    seed,
    scaling,
    signal,
    onProgress: (progress) => bar.update(progress),
    ...(data === undefined ? {} : { dataDirectory: data }),
    ...(label === undefined ? {} : { label }),
    ...(task === undefined ? {} : { task }),
    ...(features === undefined ? {} : { features }),
    ...(firstIndex === undefined ? {} : { firstIndex }),
    ...(catalogued ? {} : { maxBytes }),
  }
  return await resolveDataset(source, options)
}

/** Options of the commands that apply a trained network to samples. */
export interface SampleOptions {
  data?: string
  /** false where the file has no labels. */
  label?: string | false
  part?: 'train' | 'test'
  seed?: number
}

/**
 * Loads samples for a network that is trained already, scaled by what its run.json holds.
 *
 * @param source a name of the catalogue: its test part, or `part`; a file: all of it, unless `part` is given
 * @param record of the network's run, or null: then the data is scaled by itself, and a note says so
 */
export async function loadSamples(
  source: string,
  options: SampleOptions,
  record: RunRecord | null,
  console: Console,
  signal: AbortSignal,
): Promise<Dataset> {
  if (record === null) {
    console.note(
      'there is no run.json beside the checkpoint: the data is scaled by itself, not as in training',
    )
  }
  const catalogued = await isCatalogued(source, options.data)
  // What training was told about its file says nothing about a data set of the catalogue.
  const told = catalogued ? null : (record?.dataset ?? null)
  const label = options.label === false ? null : (options.label ?? told?.label ?? undefined)
  const task = told?.task ?? undefined
  const reading = {
    ...(label === undefined ? {} : { label }),
    ...(task === undefined ? {} : { task }),
    ...(told === null ? {} : await sparseColumns(source, told)),
  }
  let dataset: Dataset
  if (options.part === undefined && !catalogued) {
    dataset = await readDataset(source, { signal, maxBytes, ...reading })
    if (record === null) return scaledByItself(dataset)
  } else {
    const { data, part = 'test' } = options
    const seed = options.seed ?? record?.dataset.seed ?? 1
    const scaling = record === null ? 'standard' : 'none'
    const named = { seed, ...(data === undefined ? {} : { data }), ...reading }
    dataset = (await loadSplit(source, named, console, signal, scaling))[part]
    if (record === null) return dataset
  }
  const { scaling, classNames } = record.dataset
  checkColumns(source, dataset, record.dataset)
  return alignClasses(scaling === null ? dataset : applyScaling(dataset, scaling), classNames)
}

/** The columns of a libsvm file, which its rows do not tell where they are zero: those of the training file. */
async function sparseColumns(
  source: string,
  { features, firstIndex }: RunRecord['dataset'],
): Promise<Pick<DataOptions, 'features' | 'firstIndex'>> {
  if (firstIndex === null || (await detectFormat(source)) !== 'libsvm') return {}
  return { features, firstIndex }
}

/** As `loadFile` scales a training part. */
function scaledByItself(dataset: Dataset): Dataset {
  const fit = dataset.imageShape === undefined ? fitStandard : fitGlobalStandard
  return applyScaling(dataset, fit(dataset))
}

/** The options with, for the file that the network was trained on, the part that was held back as default. */
export function heldOut<Options extends SampleOptions>(
  source: string,
  record: RunRecord | null,
  options: Options,
): Options {
  const trainedOn = record !== null && path.resolve(source) === path.resolve(record.dataset.source)
  return trainedOn ? { part: 'test', ...options } : options
}

async function isCatalogued(source: string, dataDirectory: string | undefined): Promise<boolean> {
  return (await listDatasets({ dataDirectory })).some((row) => sameName(row.name, source))
}

/** Names of the catalogue are taken in any case, and with `_` and `-` alike. */
export function sameName(a: string, b: string): boolean {
  const plain = (name: string): string => name.toLowerCase().replaceAll('_', '-')
  return plain(a) === plain(b)
}

/**
 * Gives labels the numbers that the classes had in training: a file that lacks a class would otherwise count anew.
 *
 * @param classNames of the training data, in label order, or null where it had none
 * @throws ERR_ESPALIER_DATA for a class that was not there in training
 */
function alignClasses(dataset: Dataset, classNames: readonly string[] | null): Dataset {
  const { labels, classNames: own } = dataset
  if (labels === undefined || own === undefined || classNames === null) return dataset
  const numbers = own.map((name) => {
    const number = classNames.indexOf(name)
    if (number >= 0) return number
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${dataset.name}: class "${name}" was not in the training data, which has ${classNames.slice(0, 20).join(', ')}`,
    )
  })
  return {
    ...dataset,
    labels: labels.map((label) => numbers[label]!),
    classes: classNames.length,
    classNames,
  }
}

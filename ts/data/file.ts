import { basename } from 'node:path'
import { z } from 'zod'
import { EspalierError } from '../errors.js'
import { flag, instance, object, oneOf, parse, real } from '../validation.js'
import { findLabelFile, findTestFile } from './companions.js'
import type { Dataset } from './dataset.js'
import { type DataFormat, detectFormat } from './format.js'
import { type LoadedSplit, SCALING_METHODS, type ScalingMethod, scaleSplit } from './loaded.js'
import { checkText, countOption, seedOption, signalOption } from './options.js'
import { readCsvSamples } from './readers/csv.js'
import { readIdxSamples } from './readers/idx.js'
import { densify, readLibsvm } from './readers/libsvm.js'
import { readMatSamples } from './readers/mat.js'
import { readNpySamples } from './readers/npy.js'
import { assemble, type RawSamples, type Task } from './samples.js'
import { splitDataset } from './split.js'

/** How a file is to be understood. */
export interface ReadOptions {
  /**
   * Where the labels are: a column of a table (name, or index from 0), a variable of a MAT file; null for a file
   * without labels. Default: the column target, label or class, else the last; the variable Y.
   */
  readonly label?: string | number | null
  /** The label file of an IDX or NumPy file. Default: the one beside it with the usual name. */
  readonly labels?: string
  /** The variable of a MAT file that holds the samples. Default: X. */
  readonly variable?: string
  /**
   * Whether the first row of a table names its columns. Default: recognised. A first row of 0, 1, 2, 3, ... is a header, as
   * pandas writes it by default; but 0, 1 and 0, 1, 2 may be a sample and are refused until this option says what they are.
   */
  readonly header?: boolean
  /**
   * Columns of a table that are categories although they look like numbers, or that have "?", "NA" and the like as a
   * category of its own. Default: none.
   */
  readonly categorical?: readonly (string | number)[]
  /**
   * Features of a sample in a libsvm file, whose rows name only those that are not zero. Default: as many as the largest
   * index asks for.
   */
  readonly features?: number
  /** What the indices of a libsvm file count from. Default: 0 where an index 0 occurs, else 1. */
  readonly firstIndex?: 0 | 1
  /** What the labels are: classes, or numbers to be predicted. Default: classification. */
  readonly task?: Task
  /**
   * Bytes that reading a file may take in memory: its contents inflated, and its samples as float32, which for sparse
   * rows and columns of text can be far larger than in the file. A file that needs more is ERR_ESPALIER_MEMORY before that
   * is allocated. Default: ten times the size of the file and 256 MiB.
   */
  readonly maxBytes?: number
  /** Stops reading. */
  readonly signal?: AbortSignal
}

/** Options of `loadFile`. */
export interface FileOptions extends ReadOptions {
  /** A file with the test samples, of the same format. Default: for IDX and NumPy the usual companion, else none. */
  readonly testFile?: string
  /** The label file of `testFile`. Default: the one beside it with the usual name. */
  readonly testLabels?: string
  /** Where there is no test file: the share of samples that become the test part. Default: 0.2. */
  readonly testFraction?: number
  /** Seed of that split, which is stratified where there are classes. Default: 0. */
  readonly seed?: number
  /** Default: 'standard'. */
  readonly scaling?: ScalingMethod
}

type Column = string | number
const isColumn = (value: unknown): value is Column =>
  typeof value === 'string' || (Number.isSafeInteger(value) && (value as number) >= 0)
const isLabel = (value: unknown): value is Column | null => value === null || isColumn(value)
const columns = 'an array of names of columns, or their indices from 0'
const pathOption = z.string({ error: 'a path' }).optional()

const readShape = {
  label: instance(isLabel, 'the name of a column, its index from 0, null for none').optional(),
  labels: pathOption,
  variable: z.string({ error: 'the name of a variable' }).optional(),
  header: flag().optional(),
  categorical: z.array(instance(isColumn, columns), { error: columns }).optional(),
  features: countOption(1).optional(),
  firstIndex: z.literal([0, 1], { error: '0, 1' }).optional(),
  task: oneOf(['classification', 'regression']).default('classification'),
  maxBytes: countOption(1).optional(),
  signal: signalOption,
}
const readSchema = object(readShape)
const loadSchema = object({
  ...readShape,
  testFile: pathOption,
  testLabels: pathOption,
  testFraction: real({ above: 0, below: 1 }).default(0.2),
  seed: seedOption.default(0),
  scaling: oneOf(SCALING_METHODS).default('standard'),
})
type Checked = z.output<typeof readSchema>

/**
 * Reads all samples of a file, unscaled and undivided. Known formats: IDX, CSV and TSV, libsvm (each also .gz), MAT
 * version 5, NumPy .npy.
 *
 * @throws ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FORMAT, ERR_ESPALIER_DATA, ERR_ESPALIER_FILE, ERR_ESPALIER_MEMORY,
 * ERR_ESPALIER_OPTION, each naming the file and, where there is one, the place in it.
 */
export async function readDataset(path: string, options: ReadOptions = {}): Promise<Dataset> {
  checkText('readDataset', 'path', path, 'the path of a file')
  const checked = parse('readDataset', readSchema, options)
  const raw = await readParts(path, undefined, checked)
  return assemble(raw, dataName(path), checked.task)[0]!
}

/**
 * Loads a file as training and test part: with its test file where it has one, else by a seeded 80/20 split.
 *
 * @throws like `readDataset`
 */
export async function loadFile(path: string, options: FileOptions = {}): Promise<LoadedSplit> {
  checkText('loadFile', 'path', path, 'the path of a file')
  const checked = parse('loadFile', loadSchema, options)
  const { testFile, testLabels, testFraction, seed, scaling, ...read } = checked
  if (testLabels !== undefined && testFile === undefined) {
    throw new EspalierError('ERR_ESPALIER_OPTION', 'loadFile: option "testLabels" needs "testFile"')
  }
  const raw = await readParts(path, { path: testFile, labels: testLabels }, read)
  const [train, test] = assemble(raw, dataName(path), read.task)
  const split = test === undefined ? splitDataset(train!, { testFraction, seed }) : { train: train!, test }
  return scaleSplit(split, scaling)
}

/**
 * Reads a file and, where `test` is given, its test file too (the one named, or the usual companion).
 * Returns one or two parts.
 */
async function readParts(
  path: string,
  test: { path: string | undefined; labels: string | undefined } | undefined,
  options: Checked,
): Promise<RawSamples[]> {
  const format = await detectFormat(path)
  refuseForeignOptions(path, format, options)
  const { signal, label, variable, maxBytes } = options
  switch (format) {
    case 'csv': {
      const train = await readCsvSamples(path, options, signal)
      if (test?.path === undefined) return [train.raw]
      return [train.raw, (await readCsvSamples(test.path, { ...options, like: train.schema }, signal)).raw]
    }
    case 'libsvm': {
      const rows = [await readLibsvm(path, signal, maxBytes)]
      if (test?.path !== undefined) rows.push(await readLibsvm(test.path, signal, maxBytes))
      return densify(rows, options).map(({ labels, ...part }) =>
        label === null ? part : { ...part, labels: labels! },
      )
    }
    case 'mat': {
      const variables = {
        ...(variable !== undefined && { features: variable }),
        ...(label !== undefined && { labels: label === null ? null : String(label) }),
      }
      const train = await readMatSamples(path, variables, signal, maxBytes)
      if (test?.path === undefined) return [train]
      return [train, await readMatSamples(test.path, variables, signal, maxBytes)]
    }
    case 'idx':
    case 'npy': {
      const read = format === 'idx' ? readIdxSamples : readNpySamples
      const labelsOf = (file: string, given: string | undefined) =>
        label === null ? undefined : (given ?? findLabelFile(file))
      const parts = [await read(path, labelsOf(path, options.labels), signal, maxBytes)]
      const testPath = test && (test.path ?? findTestFile(path))
      if (testPath !== undefined) {
        parts.push(await read(testPath, labelsOf(testPath, test?.labels), signal, maxBytes))
      }
      return parts
    }
  }
}

/** An option that this format has no use for is a mistake, not something to pass over. */
function refuseForeignOptions(path: string, format: DataFormat, options: Checked): void {
  const foreign: Record<string, boolean> = {
    labels: options.labels !== undefined && format !== 'idx' && format !== 'npy',
    variable: options.variable !== undefined && format !== 'mat',
    header: options.header !== undefined && format !== 'csv',
    categorical: options.categorical !== undefined && format !== 'csv',
    features: options.features !== undefined && format !== 'libsvm',
    firstIndex: options.firstIndex !== undefined && format !== 'libsvm',
    label: options.label !== undefined && options.label !== null && format !== 'csv' && format !== 'mat',
  }
  const name = Object.keys(foreign).find((option) => foreign[option])
  if (name !== undefined) {
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `${path}: option "${name}" means nothing for a file of format ${format}`,
    )
  }
}

function dataName(path: string): string {
  return basename(path)
    .replace(/\.gz$/i, '')
    .replace(/\.[a-z]+$/i, '')
}

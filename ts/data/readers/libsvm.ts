import { EspalierError } from '../../errors.js'
import {
  GrowingFloats,
  GrowingIntegers,
  LARGEST_FLOAT32,
  type MemoryBudget,
  sharedFloats,
} from '../memory.js'
import type { RawSamples } from '../samples.js'
import { budgetFor } from './bytes.js'
import { decimal } from './fields.js'
import { textError, textLines } from './text.js'

/** A label as it grows in a list and as it is kept. */
const BYTES_PER_LABEL = 24

/** The rows of a libsvm file as they stand: only the features that are named. */
export interface SparseRows {
  readonly source: string
  readonly labels: Float64Array
  /** samples + 1 positions in `indices` and `values`. */
  readonly offsets: Uint32Array
  readonly indices: Uint32Array
  readonly values: Float32Array
  /** Of the file. */
  readonly budget: MemoryBudget
}

/**
 * Reads a libsvm (svmlight) file, .gz or not: `label index:value index:value ... # comment` per line. `qid:` is
 * passed over.
 *
 * @param maxBytes see `ReadOptions`
 * @throws ERR_ESPALIER_FORMAT or ERR_ESPALIER_DATA naming file, line and column (from 1); ERR_ESPALIER_MEMORY.
 */
export async function readLibsvm(path: string, signal?: AbortSignal, maxBytes?: number): Promise<SparseRows> {
  const budget = await budgetFor(path, maxBytes)
  const labels: number[] = []
  const offsets = new GrowingIntegers(budget)
  const indices = new GrowingIntegers(budget)
  const values = new GrowingFloats(budget)
  let number = 0
  offsets.push(0)
  for await (const lines of textLines(budget, signal)) {
    for (const line of lines) {
      number++
      const comment = line.indexOf('#')
      const text = comment < 0 ? line : line.slice(0, comment)
      if (text.trim() === '') continue
      budget.take(BYTES_PER_LABEL)
      labels.push(parseLine(path, text, number, indices, values))
      offsets.push(values.length)
    }
  }
  if (labels.length === 0) throw textError(path, 1, 1, 'the file holds no samples')
  return {
    source: path,
    labels: Float64Array.from(labels),
    offsets: offsets.view(),
    indices: indices.view(),
    values: values.view(),
    budget,
  }
}

function parseLine(
  path: string,
  line: string,
  number: number,
  indices: GrowingIntegers,
  values: GrowingFloats,
): number {
  const tokens = line.matchAll(/\S+/g)
  const first = tokens.next().value!
  const label = decimal(first[0])
  if (!Number.isFinite(label)) {
    throw textError(
      path,
      number,
      first.index + 1,
      `the label ${JSON.stringify(first[0])} is not a finite number`,
    )
  }
  let last = -1
  for (const token of tokens) {
    const text = token[0]
    const colon = text.indexOf(':')
    if (text.startsWith('qid:')) continue
    const index = decimal(text.slice(0, colon))
    const value = decimal(text.slice(colon + 1))
    const column = token.index + 1
    const readable = colon < text.length - 1 && (!Number.isNaN(value) || /:[+-]?nan$/i.test(text))
    if (colon <= 0 || !Number.isInteger(index) || !readable) {
      throw textError(path, number, column, `${JSON.stringify(text)} is not index:value`)
    }
    if (!(Math.abs(value) <= LARGEST_FLOAT32)) {
      const problem = `${JSON.stringify(text)}: every value must be a finite float32`
      throw new EspalierError('ERR_ESPALIER_DATA', `${path}: line ${number}, column ${column}: ${problem}`)
    }
    if (index <= last || index >= 2 ** 31) {
      throw textError(path, number, column, `the index ${index} must lie above the one before and below 2^31`)
    }
    last = index
    indices.push(index)
    values.push(value)
  }
  return label
}

/** How sparse rows become dense. */
export interface DenseOptions {
  /** Features of a sample. Default: as many as the largest index asks for. */
  readonly features?: number | undefined
  /** What indices count from. Default: 0 where an index 0 occurs, else 1, as libsvm writes them. */
  readonly firstIndex?: 0 | 1 | undefined
}

/**
 * Makes the parts of one data set dense, with as many features each.
 *
 * @throws ERR_ESPALIER_DATA for an index that is outside of what the options say, ERR_ESPALIER_MEMORY
 */
export function densify(parts: readonly SparseRows[], options: DenseOptions = {}): RawSamples[] {
  let smallest = 1
  let largest = 0
  for (const { indices } of parts) {
    for (const index of indices) {
      if (index < smallest) smallest = index
      if (index > largest) largest = index
    }
  }
  const firstIndex = options.firstIndex ?? (smallest === 0 ? 0 : 1)
  const features = options.features ?? largest - firstIndex + 1
  return parts.map((rows) => {
    checkIndices(rows, firstIndex, features)
    const { source, labels, offsets, indices, values, budget } = rows
    const samples = labels.length
    const count = samples * features
    budget.take(count * Float32Array.BYTES_PER_ELEMENT, `${samples} samples of ${features} features`)
    const dense = sharedFloats(count, source)
    for (let sample = 0; sample < samples; sample++) {
      for (let i = offsets[sample]!; i < offsets[sample + 1]!; i++) {
        dense[sample * features + indices[i]! - firstIndex] = values[i]!
      }
    }
    return { source, samples, features, values: dense, labels, firstIndex }
  })
}

function checkIndices({ source, indices }: SparseRows, first: 0 | 1, features: number): void {
  const outside = indices.find((index) => index < first || index >= first + features)
  if (outside === undefined) return
  throw new EspalierError(
    'ERR_ESPALIER_DATA',
    `${source}: the index ${outside}, where ${features} features from index ${first} on are expected`,
  )
}

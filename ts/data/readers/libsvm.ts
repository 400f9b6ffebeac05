import { EspalierError } from '../../errors.js'
import { GrowingFloats, GrowingIntegers, LARGEST_FLOAT32, sharedFloats } from '../memory.js'
import type { RawSamples } from '../samples.js'
import { textError, textLines } from './text.js'

/** Bytes that dense features may take for every character of the file, beyond a free allowance. */
const LARGEST_FILL = 1024
const FREE_FILL = 64 * 2 ** 20

/** The rows of a libsvm file as they stand: only the features that are named. */
export interface SparseRows {
  readonly source: string
  readonly labels: Float64Array
  /** samples + 1 positions in `indices` and `values`. */
  readonly offsets: Uint32Array
  readonly indices: Uint32Array
  readonly values: Float32Array
  /** Characters read; bounds what the rows may grow to. */
  readonly characters: number
}

/**
 * Reads a libsvm (svmlight) file, .gz or not: `label index:value index:value ... # comment` per line. `qid:` is
 * passed over.
 *
 * @throws ERR_ESPALIER_FORMAT or ERR_ESPALIER_DATA naming file, line and column (from 1).
 */
export async function readLibsvm(path: string, signal?: AbortSignal): Promise<SparseRows> {
  const labels: number[] = []
  const offsets = new GrowingIntegers()
  const indices = new GrowingIntegers()
  const values = new GrowingFloats()
  let characters = 0
  let number = 0
  offsets.push(0)
  for await (const lines of textLines(path, signal)) {
    for (const line of lines) {
      number++
      characters += line.length + 1
      const comment = line.indexOf('#')
      const text = comment < 0 ? line : line.slice(0, comment)
      if (text.trim() === '') continue
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
    characters,
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
  const label = Number(first[0])
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
    const index = Number(text.slice(0, colon))
    const value = Number(text.slice(colon + 1))
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

/**
 * Makes the parts of one data set dense, with as many features each as the largest index of all of them asks for.
 * Indices count from 1, as libsvm writes them, or from 0 where an index 0 occurs.
 *
 * @param maxBytes see `ReadOptions`
 * @throws ERR_ESPALIER_FORMAT where the samples are too empty for a dense table, ERR_ESPALIER_MEMORY.
 */
export function densify(parts: readonly SparseRows[], maxBytes?: number): RawSamples[] {
  let smallest = 1
  let largest = 0
  for (const { indices } of parts) {
    for (const index of indices) {
      if (index < smallest) smallest = index
      if (index > largest) largest = index
    }
  }
  const features = largest - smallest + 1
  return parts.map(({ source, labels, offsets, indices, values, characters }) => {
    const samples = labels.length
    const bytes = samples * features * Float32Array.BYTES_PER_ELEMENT
    if (bytes > FREE_FILL + LARGEST_FILL * characters) {
      throw new EspalierError(
        'ERR_ESPALIER_FORMAT',
        `${source}: ${samples} samples of ${features} features (the largest index) are too empty to be made dense`,
      )
    }
    const dense = sharedFloats(samples * features, source, maxBytes)
    for (let sample = 0; sample < samples; sample++) {
      for (let i = offsets[sample]!; i < offsets[sample + 1]!; i++) {
        dense[sample * features + indices[i]! - smallest] = values[i]!
      }
    }
    return { source, samples, features, values: dense, labels }
  })
}

import type { RawLabels } from '../labels.js'
import { type MemoryBudget, sharedFloats } from '../memory.js'
import { type RawSamples, samplesOfArray } from '../samples.js'
import { budgetFor, formatError, readContents } from './bytes.js'
import {
  copyNumbers,
  decodeNumbers,
  NUMBER_BYTES,
  type Numbers,
  type NumberType,
  safeProduct,
  toDoubles,
} from './numbers.js'

/** Type codes of IDX, see "The IDX file format" at http://yann.lecun.com/exdb/mnist/. */
const TYPES: ReadonlyMap<number, NumberType> = new Map([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
])

/** An IDX file: big-endian numbers of one type in any number of dimensions. */
export interface IdxArray {
  /** Sizes, slowest dimension first. */
  readonly shape: readonly number[]
  /** The numbers, row-major. */
  readonly values: Numbers
}

/**
 * Reads an IDX file (.gz or not, whatever its name).
 *
 * @param budget of the file, see `budgetFor`
 * @throws ERR_ESPALIER_FORMAT naming file and byte offset where header and contents do not agree; ERR_ESPALIER_MEMORY
 */
export async function readIdx(budget: MemoryBudget, signal?: AbortSignal): Promise<IdxArray> {
  const { path } = budget
  const { bytes, of } = await readContents(budget, signal)
  const at = (offset: number) => ({ path, offset, ...(of !== undefined && { of }) })
  if (bytes.length < 4)
    throw formatError(at(bytes.length), 'the file ends within the 4 bytes of the IDX magic number')
  const type = TYPES.get(bytes[2]!)
  const rank = bytes[3]!
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined || rank === 0) {
    throw formatError(
      at(0),
      `${bytes.toString('hex', 0, 4)} is not an IDX magic number (two zero bytes, a type 08 to 0e, dimensions >= 1)`,
    )
  }
  const start = 4 + 4 * rank
  if (bytes.length < start) {
    throw formatError(at(bytes.length), `the file ends within the sizes of its ${rank} dimensions`)
  }
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const size = safeProduct([...shape, NUMBER_BYTES[type]])
  const there = bytes.length - start
  if (size !== there) {
    throw formatError(
      at(4),
      `${shape.join(' x ')} values of type ${type} need ${size ?? 'far too many'} bytes, the file has ${there}`,
    )
  }
  return { shape, values: decodeNumbers(bytes.subarray(start), type, false, budget) }
}

/**
 * Reads samples from an IDX file: the first dimension counts samples, the others are flattened into features.
 * Three dimensions are images of [height, width].
 *
 * @param labelPath the IDX file of the labels, one number per sample
 * @param maxBytes see `ReadOptions`
 */
export async function readIdxSamples(
  path: string,
  labelPath: string | undefined,
  signal?: AbortSignal,
  maxBytes?: number,
): Promise<RawSamples> {
  const budget = await budgetFor(path, maxBytes)
  const { shape, values } = await readIdx(budget, signal)
  const labels = labelPath === undefined ? undefined : await readIdxLabels(labelPath, signal, maxBytes)
  const floats = sharedFloats(values.length, path, budget)
  copyNumbers(values, floats)
  return samplesOfArray(path, shape, floats, labels)
}

async function readIdxLabels(
  path: string,
  signal: AbortSignal | undefined,
  maxBytes: number | undefined,
): Promise<RawLabels> {
  const budget = await budgetFor(path, maxBytes)
  const { shape, values } = await readIdx(budget, signal)
  if (shape.length !== 1) {
    throw formatError({ path, offset: 3 }, `${shape.length} dimensions; a file of labels has one`)
  }
  return toDoubles(values, budget)
}

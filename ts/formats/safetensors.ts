import { decodeArray } from '../data/readers/numbers.js'
import { EspalierError } from '../errors.js'
import { show } from '../validation.js'
import { writeWhole } from './atomic-file.js'
import { InputFile } from './input-file.js'
import { duplicateKey } from './json-keys.js'

/**
 * The safetensors format (https://huggingface.co/docs/safetensors): 8 bytes, little-endian, with the length of the
 * header; the header, a JSON object from tensor name to dtype, shape and data_offsets; then the tensors, row-major,
 * without gaps.
 */

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array

/** A tensor of a file. */
export interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  /** As many elements as the product of the shape. */
  readonly data: TensorData
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** In the order of the file. */
  readonly tensors: Tensor[]
  readonly metadata: Readonly<Record<string, string>>
}

interface Entry {
  readonly name: string
  readonly type: DataType
  readonly shape: number[]
  readonly begin: number
  readonly end: number
}

interface DataType {
  readonly name: string
  readonly size: number
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => TensorData
}

/** Widest first, the order in which tensors are written, so that each is aligned to its elements. */
const written = [
  { name: 'I64', size: 8, array: BigInt64Array },
  { name: 'F64', size: 8, array: Float64Array },
  { name: 'I32', size: 4, array: Int32Array },
  { name: 'F32', size: 4, array: Float32Array },
  { name: 'U8', size: 1, array: Uint8Array },
] as const

const types: readonly DataType[] = [
  ...written.map(({ name, size, array }) => ({
    name,
    size,
    decode: (bytes: Uint8Array<ArrayBuffer>) => new array(bytes.buffer),
  })),
  { name: 'F16', size: 2, decode: (bytes) => decodeArray(bytes, 'float16', true) as Float32Array },
  { name: 'BF16', size: 2, decode: decodeBfloat16 },
  { name: 'BOOL', size: 1, decode: (bytes) => bytes },
]

/** The format's own limit. */
const longestHeader = 100_000_000
/** More than anybody uses; bounds the product of a lying shape. */
const mostDimensions = 32

/**
 * Writes tensors to a file, whole or not at all.
 *
 * @param metadata kept beside the tensors under `__metadata__`
 * @throws ERR_ESPALIER_FILE when the operating system refuses, ERR_ESPALIER_OPTION for what `readSafetensors` would not
 * read: a shape that is not its data's, a name twice, metadata that is not text
 */
export async function writeSafetensors(
  file: string,
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  checkMetadata(metadata)
  const sorted = tensors
    .map((tensor) => ({ tensor, rank: written.findIndex(({ array }) => tensor.data instanceof array) }))
    .sort((a, b) => a.rank - b.rank)
  const entries: [string, unknown][] = [['__metadata__', metadata]]
  const names = new Set(['__metadata__'])
  let offset = 0
  for (const { tensor, rank } of sorted) {
    checkTensor(tensor, rank, names)
    const end = offset + tensor.data.byteLength
    entries.push([
      tensor.name,
      { dtype: written[rank]!.name, shape: tensor.shape, data_offsets: [offset, end] },
    ])
    offset = end
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  const padded = Math.ceil(json.length / 8) * 8
  if (padded > longestHeader) throw unwritable(`the header has ${padded} bytes; allowed: ${longestHeader}`)
  const header = new Uint8Array(8 + padded).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(json, 8)
  await writeWhole(file, async (sink) => {
    await sink.write(header)
    for (const { data } of sorted.map(({ tensor }) => tensor)) {
      await sink.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  })
}

/**
 * Reads a whole file; F16 and BF16 become float32, BOOL bytes of 0 and 1. Nothing else is allocated that is larger than
 * the file itself.
 *
 * @throws ERR_ESPALIER_FORMAT naming file and offset when it is not what it claims to be, ERR_ESPALIER_FILE or
 * ERR_ESPALIER_NOT_FOUND when it cannot be read
 */
export async function readSafetensors(file: string): Promise<SafetensorsFile> {
  await using input = await InputFile.open(file)
  const { header, dataStart } = await readHeader(input)
  const { metadata, entries } = parseHeader(header, file, input.size - dataStart, dataStart)
  const tensors: Tensor[] = []
  for (const { name, type, shape, begin, end } of entries) {
    const bytes = await input.read(dataStart + begin, end - begin)
    const other = type.name === 'BOOL' ? bytes.findIndex((value) => value > 1) : -1
    if (other >= 0) {
      const problem = `element ${other} of tensor "${name}" is ${bytes[other]}; allowed in BOOL: 0, 1`
      throw wrong(file, dataStart + begin + other, problem)
    }
    tensors.push({ name, shape, data: type.decode(bytes) })
  }
  return { tensors, metadata }
}

function checkTensor({ name, shape, data }: Tensor, rank: number, names: Set<string>): void {
  if (typeof name !== 'string') throw unwritable(`the name is ${show(name)}; allowed: text`)
  const tensor = `tensor "${name}" has`
  if (rank < 0) {
    const allowed = written.map(({ array }) => array.name).join(', ')
    throw unwritable(`${tensor} data that is ${show(data)}; allowed: ${allowed}`)
  }
  if (!isShape(shape)) {
    throw unwritable(`${tensor} shape ${show(shape)}; allowed: at most ${mostDimensions} whole numbers >= 0`)
  }
  if (shape.reduce((product, side) => product * side, 1) !== data.length) {
    const given = `shape [${shape.join(', ')}] with ${data.length} elements of ${data.constructor.name}`
    throw unwritable(`${tensor} ${given}`)
  }
  if (names.has(name)) throw unwritable(`the name "${name}" is taken`)
  names.add(name)
}

function checkMetadata(metadata: unknown): void {
  if (!isObject(metadata)) throw unwritable(`metadata is ${show(metadata)}; allowed: an object of texts`)
  const other = Object.entries(metadata).find(([, value]) => typeof value !== 'string')
  if (other !== undefined) throw unwritable(`metadata "${other[0]}" is ${show(other[1])}; allowed: text`)
}

function unwritable(what: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_OPTION', `writeSafetensors: ${what}`)
}

async function readHeader(input: InputFile) {
  const { path: file, size } = input
  if (size < 8)
    throw wrong(file, 0, `the file has ${size} bytes; safetensors begins with an 8-byte header length`)
  const prefix = await input.read(0, 8)
  const length = new DataView(prefix.buffer).getBigUint64(0, true)
  if (length > BigInt(size - 8))
    throw wrong(file, 0, `the header length is ${length}, but only ${size - 8} bytes follow`)
  if (length > BigInt(longestHeader))
    throw wrong(file, 0, `the header length is ${length}; allowed: ${longestHeader}`)
  const bytes = await input.read(8, Number(length))
  try {
    return { header: new TextDecoder('utf-8', { fatal: true }).decode(bytes), dataStart: 8 + Number(length) }
  } catch {
    throw wrong(file, 8, 'the header is not UTF-8')
  }
}

/** The upper halves of float32. */
function decodeBfloat16(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const halves = decodeArray(bytes, 'uint16', true) as Uint16Array
  return new Float32Array(Uint32Array.from(halves, (half) => half * 2 ** 16).buffer)
}

function parseHeader(json: string, file: string, dataLength: number, dataStart: number) {
  let header: unknown
  try {
    header = JSON.parse(json)
  } catch (cause) {
    throw wrong(file, 8, `the header is not JSON: ${(cause as Error).message}`)
  }
  if (!isObject(header)) throw wrong(file, 8, 'the header is not a JSON object')
  const twice = duplicateKey(json)
  if (twice !== null) {
    const offset = 8 + Buffer.byteLength(json.slice(0, twice.offset))
    throw wrong(file, offset, `the header names "${twice.key}" twice`)
  }
  const { __metadata__: metadata = {}, ...rest } = header
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw wrong(file, 8, '__metadata__ is not an object of strings')
  }
  const entries = Object.entries(rest).map(([name, value]) => parseEntry(file, name, value, dataLength))
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let expected = 0
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      const what =
        begin < expected
          ? 'overlaps the tensor before it'
          : `leaves ${begin - expected} bytes unused before it`
      throw wrong(file, dataStart + Math.min(begin, expected), `tensor "${name}" ${what}`)
    }
    expected = end
  }
  if (expected !== dataLength) {
    throw wrong(file, dataStart + expected, `${dataLength - expected} bytes follow the last tensor`)
  }
  return { metadata: metadata as Record<string, string>, entries }
}

function parseEntry(file: string, name: string, value: unknown, dataLength: number): Entry {
  const fail = (what: string) => wrong(file, 8, `tensor "${name}": ${what}`)
  if (!isObject(value)) throw fail('its description is not an object')
  const { dtype, shape, data_offsets: offsets } = value
  const type = types.find((candidate) => candidate.name === dtype)
  if (type === undefined) {
    throw fail(`dtype is ${show(dtype)}; allowed: ${types.map((known) => known.name).join(', ')}`)
  }
  if (!isShape(shape)) {
    throw fail(`shape is not a list of at most ${mostDimensions} whole numbers >= 0`)
  }
  if (!isSizes(offsets) || offsets.length !== 2)
    throw fail('data_offsets is not a pair of whole numbers >= 0')
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataLength) {
    throw fail(`data_offsets are [${begin}, ${end}], but the file holds ${dataLength} bytes of data`)
  }
  const bytes = shape.reduce((product, side) => product * BigInt(side), BigInt(type.size))
  if (bytes !== BigInt(end - begin)) {
    throw fail(
      `${type.name} of shape [${shape.join(', ')}] takes ${bytes} bytes, but data_offsets hold ${end - begin}`,
    )
  }
  return { name, type, shape, begin, end }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isShape(value: unknown): value is number[] {
  return isSizes(value) && value.length <= mostDimensions
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((side) => Number.isSafeInteger(side) && side >= 0)
}

function wrong(file: string, offset: number, what: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_FORMAT', `${file}: at byte ${offset}: ${what}`)
}

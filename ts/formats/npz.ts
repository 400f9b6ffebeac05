import type { MemoryBudget } from '../data/memory.js'
import type { Place } from '../data/readers/bytes.js'
import type { At } from '../data/readers/npy.js'
import { EspalierError } from '../errors.js'
import { flag, object, parse } from '../validation.js'
import { decodeNpy, encodeNpy, type NumpyArray, type NumpyReadOptions, numpyReadOptions } from './npy.js'
import { writeZip, zipEntries } from './zip.js'

/** Options of `writeNpz` and `writeSparseNpz`. */
export interface NpzWriteOptions {
  /** Deflate the arrays, as `numpy.savez_compressed` does. Default false. */
  compress?: boolean
}

/** An entry of an archive before it is decoded. */
export interface NpzEntry {
  readonly bytes: Buffer
  /** For messages. */
  readonly at: At
  /** Of the archive; the bytes have been taken from it. */
  readonly budget: MemoryBudget
}

const writeOptions = object({ compress: flag().default(false) })

/**
 * Reads all arrays of a .npz file, compressed or not (`numpy.savez`, `numpy.savez_compressed`).
 *
 * @returns the arrays by their names, in the order of the file
 * @throws ERR_ESPALIER_FORMAT naming file, entry and offset: an archive that is damaged, encrypted, or names
 * an array twice, and arrays that `readNpy` refuses (objects are never unpickled); ERR_ESPALIER_MEMORY for more than
 * `maxBytes`; ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FILE, ERR_ESPALIER_OPTION
 */
export async function readNpz(
  path: string,
  options: NumpyReadOptions = {},
): Promise<Map<string, NumpyArray>> {
  const arrays = new Map<string, NumpyArray>()
  for await (const [name, { bytes, at, budget }] of npzEntries('readNpz', path, options)) {
    arrays.set(name, decodeNpy(bytes, at, budget))
    budget.giveBack(bytes.length)
  }
  return arrays
}

/**
 * Writes arrays as a .npz file, whole or not at all; `numpy.load` reads it.
 *
 * @param arrays by their names
 * @throws ERR_ESPALIER_FILE when the operating system refuses, ERR_ESPALIER_OPTION for a name that is a path out of the
 * archive and for a shape that is not its data's
 */
export async function writeNpz(
  path: string,
  arrays: ReadonlyMap<string, NumpyArray> | Readonly<Record<string, NumpyArray>>,
  options: NpzWriteOptions = {},
): Promise<void> {
  const { compress } = parse('writeNpz', writeOptions, options)
  const list = arrays instanceof Map ? [...arrays] : Object.entries(arrays as Record<string, NumpyArray>)
  const parts = list.map(([name, array]) => ({
    name: `${name}.npy`,
    pieces: encodeNpy(`writeNpz: ${path}: "${name}"`, array),
  }))
  await writeZip(path, parts, compress)
}

/** The arrays of a .npz file, not yet decoded. @param call begins the message of a wrong option */
export async function* npzEntries(
  call: string,
  path: string,
  options: NumpyReadOptions,
): AsyncGenerator<[name: string, entry: NpzEntry]> {
  const { maxBytes } = parse(call, numpyReadOptions, options)
  for await (const { name, bytes, offset, budget } of zipEntries(path, maxBytes)) {
    if (!name.endsWith('.npy')) {
      throw new EspalierError(
        'ERR_ESPALIER_FORMAT',
        `${path}: entry "${name}" at byte ${offset}: not a NumPy array (.npy)`,
      )
    }
    const at = (inside: number): Place => ({ path, offset: inside, of: `of entry "${name}"` })
    yield [name.slice(0, -4), { bytes, at, budget }]
  }
}

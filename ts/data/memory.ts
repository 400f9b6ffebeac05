import { EspalierError } from '../errors.js'

/** The largest float32; anything beyond it becomes Infinity when stored. */
export const LARGEST_FLOAT32 = 3.4028234663852886e38

/**
 * Makes an array, and says so in our words where the memory is not to be had.
 *
 * @param what what the memory is for, as it stands in the error message
 * @throws ERR_ESPALIER_MEMORY
 */
export function allocate<T>(make: () => T, bytes: number, what: string): T {
  try {
    return make()
  } catch (cause) {
    const megabytes = Math.ceil(bytes / 2 ** 20)
    throw new EspalierError('ERR_ESPALIER_MEMORY', `${what}: no memory for ${megabytes} MiB`, { cause })
  }
}

/** What any file may take in memory, and how many times its own size beyond that. */
const FREE_BYTES = 256 * 2 ** 20
const LARGEST_RATIO = 10

/**
 * The memory that reading one file may take, so that a small file cannot fill it. Readers take what they are about to
 * allocate and give back what they let go of.
 */
export class MemoryBudget {
  readonly #limit: number
  #taken = 0

  /**
   * @param path for messages
   * @param fileBytes size of the file
   * @param maxBytes the limit. Default: ten times the size of the file and 256 MiB.
   */
  constructor(
    readonly path: string,
    fileBytes: number,
    maxBytes?: number,
  ) {
    this.#limit = maxBytes ?? FREE_BYTES + LARGEST_RATIO * fileBytes
  }

  /**
   * @param what they are for, where the message should say so
   * @throws ERR_ESPALIER_MEMORY where that is more than is left
   */
  take(bytes: number, what?: string): void {
    this.checkTotal(this.#taken + bytes, what)
    this.#taken += bytes
  }

  /** @throws ERR_ESPALIER_MEMORY for more bytes than may be taken in all */
  checkTotal(bytes: number, what?: string): void {
    if (bytes <= this.#limit) return
    const included = what === undefined ? '' : `, ${what} included`
    const message =
      `${this.path}: reading it takes ${bytes} bytes of memory or more${included}; allowed: ${this.#limit}; ` +
      'option "maxBytes" allows more'
    throw new EspalierError('ERR_ESPALIER_MEMORY', message)
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes
  }
}

/**
 * Zeroed float32 values on a SharedArrayBuffer, so that training reads them in place.
 *
 * @param budget what they are taken from, where they come from a file
 * @throws ERR_ESPALIER_MEMORY
 */
export function sharedFloats(count: number, what: string, budget?: MemoryBudget): Float32Array {
  const bytes = count * Float32Array.BYTES_PER_ELEMENT
  budget?.take(bytes)
  return allocate(() => new Float32Array(new SharedArrayBuffer(bytes)), bytes, what)
}

const FIRST_LENGTH = 1024

/** Float32 values that arrive one after the other, when nobody knows how many there will be. */
export class GrowingFloats {
  #values = new Float32Array(FIRST_LENGTH)
  length = 0

  constructor(private readonly budget: MemoryBudget) {
    budget.take(this.#values.byteLength)
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#values = grown(this.#values, this.budget)
    this.#values[this.length++] = value
  }

  /** The values so far; valid until the next `push`. */
  view(): Float32Array {
    return this.#values.subarray(0, this.length)
  }
}

/** Non-negative integers below 2 ** 32 that arrive one after the other. */
export class GrowingIntegers {
  #values = new Uint32Array(FIRST_LENGTH)
  length = 0

  constructor(private readonly budget: MemoryBudget) {
    budget.take(this.#values.byteLength)
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#values = grown(this.#values, this.budget)
    this.#values[this.length++] = value
  }

  /** The values so far; valid until the next `push`. */
  view(): Uint32Array {
    return this.#values.subarray(0, this.length)
  }
}

/** The same values with room for as many more. */
function grown<Values extends Float32Array | Uint32Array>(values: Values, budget: MemoryBudget): Values {
  const bytes = 2 * values.byteLength
  budget.take(bytes)
  const larger = allocate(
    () => new (values.constructor as new (length: number) => Values)(2 * values.length),
    bytes,
    budget.path,
  )
  larger.set(values)
  budget.giveBack(values.byteLength)
  return larger
}

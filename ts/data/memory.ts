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

/**
 * Zeroed float32 values on a SharedArrayBuffer, so that training reads them in place.
 *
 * @param maxBytes refuse more than that, before anything is allocated
 * @throws ERR_ESPALIER_MEMORY
 */
export function sharedFloats(count: number, what: string, maxBytes?: number): Float32Array {
  const bytes = count * Float32Array.BYTES_PER_ELEMENT
  if (maxBytes !== undefined && bytes > maxBytes) {
    const message = `${what}: its samples need ${bytes} bytes; allowed by option "maxBytes": ${maxBytes}`
    throw new EspalierError('ERR_ESPALIER_MEMORY', message)
  }
  return allocate(() => new Float32Array(new SharedArrayBuffer(bytes)), bytes, what)
}

/** Float32 values that arrive one after the other, when nobody knows how many there will be. */
export class GrowingFloats {
  #values = new Float32Array(1024)
  length = 0

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float32Array(this.#values.length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.length++] = value
  }

  /** The values so far; valid until the next `push`. */
  view(): Float32Array {
    return this.#values.subarray(0, this.length)
  }
}

/** Non-negative integers below 2 ** 32 that arrive one after the other. */
export class GrowingIntegers {
  #values = new Uint32Array(1024)
  length = 0

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(this.#values.length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.length++] = value
  }

  /** The values so far; valid until the next `push`. */
  view(): Uint32Array {
    return this.#values.subarray(0, this.length)
  }
}

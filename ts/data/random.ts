const LOW_HALF = 0xffff
const UNIT = 2 ** -32

/** High 32 bits of the product of two unsigned 32-bit integers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & LOW_HALF
  const aHigh = a >>> 16
  const bLow = b & LOW_HALF
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = aLow * bHigh + (middle & LOW_HALF)
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0
}

/**
 * Seeded random numbers by counting: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011). The key is the seed; the counter holds the position and the number of the stream, so
 * streams of one seed are independent, and sample i of a generator does not depend on how many others are drawn.
 */
export class Random {
  readonly #keyLow: number
  readonly #keyHigh: number
  readonly #streamLow: number
  readonly #streamHigh: number
  readonly #words = new Uint32Array(4)
  #position = 0
  #used = 4
  #spareNormal: number | undefined

  /**
   * @param seed a safe integer >= 0
   * @param stream a safe integer >= 0; 0 by default
   */
  constructor(seed: number, stream = 0) {
    this.#keyLow = seed >>> 0
    this.#keyHigh = Math.floor(seed / 2 ** 32) >>> 0
    this.#streamLow = stream >>> 0
    this.#streamHigh = Math.floor(stream / 2 ** 32) >>> 0
  }

  /** 32 random bits, as an integer in 0 .. 2 ** 32 - 1. */
  bits(): number {
    if (this.#used === 4) this.#fill()
    return this.#words[this.#used++]!
  }

  /** Uniform in [0, 1), or in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.bits() * UNIT)
  }

  /** Normal with mean 0 and standard deviation 1 (Box and Muller, 1958). */
  normal(): number {
    const spare = this.#spareNormal
    if (spare !== undefined) {
      this.#spareNormal = undefined
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log((this.bits() + 1) * UNIT))
    const angle = 2 * Math.PI * this.uniform()
    this.#spareNormal = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  /** A whole number in 0 .. count - 1, every one equally likely; `count` up to 2 ** 32. */
  below(count: number): number {
    // The highest bits that do not fill a whole multiple of `count` are drawn again, so there is no bias.
    const limit = 2 ** 32 - (2 ** 32 % count)
    let bits = this.bits()
    while (bits >= limit) bits = this.bits()
    return bits % count
  }

  /** Shuffles in place (Fisher and Yates) and returns what it was given. */
  shuffle<T extends Uint32Array | Int32Array | number[]>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const moved = items[last]!
      items[last] = items[other]!
      items[other] = moved
    }
    return items
  }

  #fill(): void {
    let c0 = this.#position >>> 0
    let c1 = Math.floor(this.#position / 2 ** 32) >>> 0
    let c2 = this.#streamLow
    let c3 = this.#streamHigh
    let k0 = this.#keyLow
    let k1 = this.#keyHigh
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(c0, 0xd2511f53)
      const high1 = multiplyHigh(c2, 0xcd9e8d57)
      const low0 = Math.imul(c0, 0xd2511f53)
      const low1 = Math.imul(c2, 0xcd9e8d57)
      c0 = high1 ^ c1 ^ k0
      c1 = low1
      c2 = high0 ^ c3 ^ k1
      c3 = low0
      k0 = (k0 + 0x9e3779b9) | 0
      k1 = (k1 + 0xbb67ae85) | 0
    }
    this.#words[0] = c0
    this.#words[1] = c1
    this.#words[2] = c2
    this.#words[3] = c3
    this.#position++
    this.#used = 0
  }
}

/** The numbers 0 .. count - 1 in ascending order. */
export function range(count: number): Uint32Array {
  const indices = new Uint32Array(count)
  for (let i = 0; i < count; i++) indices[i] = i
  return indices
}

import { setTimeout } from 'node:timers/promises'
import type { BenchAddon } from './addon.js'

/** How many times the least handover seen still counts as near, and how much of the best pace as whole. */
const handoverTolerance = 2
const paceTolerance = 0.93
/** How often something is timed while the host disturbs it meanwhile. */
const attempts = 3

/**
 * Times work while the processors are as near to each other, and each as fast, as they ever were. Some hosts move those of a
 * virtual machine apart for a while, so that they share no cache, or let other guests run on the same cores; either slows
 * what comes from the caches more than what is multiplied, so it is not the same for dense and sparse work.
 */
export class Calm {
  readonly #nearest = new Map<number, number>()
  readonly #fastest = new Map<number, number>()
  #patience: number
  #timedDisturbed = 0

  constructor(
    readonly addon: Pick<BenchAddon, 'handover' | 'pace'>,
    /** Seconds that all waiting together may take. */
    patience = 600,
    /** Seconds from one look to the next. */
    readonly pause = 0.5,
    /** Looks before one timing at most, so that a long disturbance does not use up all patience. */
    readonly looks = 12,
  ) {
    this.#patience = patience
  }

  /** What was timed although the processors were apart or slower than at other times, since that did not end in time. */
  get timedDisturbed(): number {
    return this.#timedDisturbed
  }

  /** Waits for calm, times, and does so again if it ended meanwhile. */
  async time<T>(threads: number, work: () => T | Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const begunCalmly = await this.wait(threads)
      const timed = await work()
      if (begunCalmly && this.#isCalm(threads)) return timed
      if (!begunCalmly || attempt === attempts || this.#patience <= 0) {
        this.#timedDisturbed++
        return timed
      }
    }
  }

  /** Whether there is calm at last; false where patience came to its end, for this time or for good. */
  async wait(threads: number): Promise<boolean> {
    for (let look = 1; !this.#isCalm(threads); look++) {
      if (look === this.looks || this.#patience <= 0) return false
      this.#patience -= this.pause
      await setTimeout(this.pause * 1000)
    }
    return true
  }

  #isCalm(threads: number): boolean {
    const handover = this.addon.handover(threads)
    const nearest = Math.min(handover, this.#nearest.get(threads) ?? handover)
    this.#nearest.set(threads, nearest)
    const pace = this.addon.pace(threads)
    const fastest = Math.max(pace, this.#fastest.get(threads) ?? pace)
    this.#fastest.set(threads, fastest)
    return handover <= handoverTolerance * nearest && pace >= paceTolerance * fastest
  }
}

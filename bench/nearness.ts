import { setTimeout } from 'node:timers/promises'
import type { BenchAddon } from './addon.js'

/** How many times the least handover seen still counts as near. */
const tolerance = 2
/** How often something is timed while processors move apart meanwhile. */
const attempts = 3

/**
 * Times several threads while their processors are as near to each other as they ever were. Some hosts move those of a virtual
 * machine apart for a while, so that they share no cache; what threads hand to each other then takes several times as long,
 * whatever the engine.
 */
export class Nearness {
  readonly #nearest = new Map<number, number>()
  #patience: number
  #timedApart = 0

  constructor(
    readonly addon: Pick<BenchAddon, 'handover'>,
    /** Seconds that all waiting together may take. */
    patience = 900,
    /** Seconds from one look to the next. */
    readonly pause = 1,
  ) {
    this.#patience = patience
  }

  /** What was timed while processors were apart, since they did not come together in time. */
  get timedApart(): number {
    return this.#timedApart
  }

  /** Waits until they are near, times, and does so again if they moved meanwhile. */
  async time<T>(threads: number, work: () => T | Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await this.wait(threads)
      const timed = await work()
      if (this.#near(threads)) return timed
      if (attempt === attempts || this.#patience <= 0) {
        this.#timedApart++
        return timed
      }
    }
  }

  /** Returns once they are near, or patience is at its end. */
  async wait(threads: number): Promise<void> {
    while (!this.#near(threads) && this.#patience > 0) {
      this.#patience -= this.pause
      await setTimeout(this.pause * 1000)
    }
  }

  #near(threads: number): boolean {
    if (threads === 1) return true
    const now = this.addon.handover(threads)
    const nearest = Math.min(now, this.#nearest.get(threads) ?? now)
    this.#nearest.set(threads, nearest)
    return now <= tolerance * nearest
  }
}

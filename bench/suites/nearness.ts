import { setTimeout } from 'node:timers/promises'
import type { BenchAddon } from '../addon.js'

/** How many times the least handover seen still counts as near. */
const tolerance = 2

/**
 * Whether processors are as near to each other as they ever were. Some hosts move those of a virtual machine apart for a while, so
 * that they share no cache; what threads hand to each other then takes several times as long, for dense and sparse alike.
 */
export class Nearness {
  readonly #nearest = new Map<number, number>()
  #patience: number

  constructor(
    readonly addon: Pick<BenchAddon, 'handover'>,
    /** Seconds that all waiting together may take. */
    patience: number,
    /** Seconds from one look to the next. */
    readonly pause = 1,
  ) {
    this.#patience = patience
  }

  near(threads: number): boolean {
    if (threads === 1) return true
    const now = this.addon.handover(threads)
    const nearest = Math.min(now, this.#nearest.get(threads) ?? now)
    this.#nearest.set(threads, nearest)
    return now <= tolerance * nearest
  }

  /** Returns once they are near, or patience is at its end. */
  async wait(threads: number): Promise<void> {
    while (!this.near(threads) && this.#patience > 0) {
      this.#patience -= this.pause
      await setTimeout(this.pause * 1000)
    }
  }

  get patient(): boolean {
    return this.#patience > 0
  }
}

import { EspalierError } from '../errors.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import type { CheckpointEvent } from './events.js'

/** Takes a consistent copy of the network. */
export type TakeSnapshot = () => Promise<NetworkSnapshot>
export type WriteSnapshot = (path: string, snapshot: NetworkSnapshot) => Promise<void>

/**
 * Saves a network while it trains, one file at a time. An epoch that ends while the last file is still being written
 * is saved after it, and only the newest of several: a slow disk delays checkpoints, never training.
 */
export class Checkpointer {
  #working: Promise<void> | null = null
  #again = false

  constructor(
    private readonly path: string,
    private readonly every: number,
    private readonly take: TakeSnapshot,
    private readonly write: WriteSnapshot,
    private readonly emit: (event: CheckpointEvent) => void,
    /** Called once when a file could not be written. */
    private readonly fail: (error: unknown) => void,
  ) {}

  /** Tells that an epoch, 1 for the first, is done. */
  epochDone(epoch: number): void {
    if (epoch % this.every !== 0) return
    if (this.#working !== null) {
      this.#again = true
      return
    }
    this.#working = this.#saveWhileAsked()
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#working = null
      })
  }

  /** Waits for the file under way, without starting another. */
  async settle(): Promise<void> {
    this.#again = false
    await this.#working
  }

  /** Saves now. */
  async save(): Promise<void> {
    const snapshot = await this.take()
    await this.write(this.path, snapshot)
    const { epoch, step } = snapshot.counters
    this.emit({ type: 'checkpoint', path: this.path, epoch, step })
  }

  async #saveWhileAsked(): Promise<void> {
    do {
      this.#again = false
      await this.save().catch((error) => {
        // A run that diverged between its last good step and the copy keeps its last good file, and is about to
        // find out by itself.
        if (!(error instanceof EspalierError) || error.code !== 'ERR_ESPALIER_DIVERGED') throw error
      })
    } while (this.#again)
  }
}

import { accessSync, constants, statSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { EspalierError } from '../errors.js'
import { alsoNamed, fileError, removeLeftovers } from '../formats/atomic-file.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import type { CheckpointPlan } from './checkpoint-options.js'
import type { CheckpointEvent } from './events.js'

/** A copy of the network that the run laid aside: as the newest, as the best so far, or as both. */
export interface LaidAside {
  readonly newest: boolean
  readonly best: boolean
  readonly snapshot: NetworkSnapshot
}

export type WriteSnapshot = (path: string, snapshot: NetworkSnapshot) => Promise<void>

/** Writes what a run lays aside, one file at a time: a slow disk delays checkpoints, never training. */
export class Checkpointer {
  #working: Promise<void> | null = null
  /** Steps of the numbered files that are there, ascending. */
  #kept: number[] | null = null
  #newest: { epoch: number; step: number; identity: string } | null = null

  /**
   * @param resumed whether numbered files that are there belong to this training
   * @param take gives what was laid aside, or null when there is nothing
   * @param fail called once when a file could not be written
   * @throws ERR_ESPALIER_FILE where the folder cannot be written to, before anything is trained in vain
   */
  constructor(
    private readonly plan: CheckpointPlan,
    private readonly resumed: boolean,
    private readonly take: () => LaidAside | null,
    private readonly write: WriteSnapshot,
    private readonly emit: (event: CheckpointEvent) => void,
    private readonly fail: (error: unknown) => void,
  ) {
    try {
      accessSync(path.dirname(plan.path), constants.W_OK)
    } catch (cause) {
      throw fileError('write', plan.path, cause)
    }
  }

  /** Tells that something was laid aside. */
  wake(): void {
    this.#working ??= this.#writeAll()
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#working = null
      })
  }

  /** Waits until all that was laid aside is written. */
  async settle(): Promise<void> {
    await this.#working
  }

  /** Writes the network as the run left it, unless that is what was written last. */
  async finish(snapshot: NetworkSnapshot): Promise<void> {
    const { epoch, step } = snapshot.counters
    if (this.#newest?.epoch === epoch && this.#newest.step === step) return
    await this.#store({ newest: true, best: false, snapshot })
  }

  async #writeAll(): Promise<void> {
    for (let next = this.take(); next !== null; next = this.take()) {
      try {
        await this.#store(next)
      } catch (error) {
        // A run that diverged between its last good step and the copy keeps its last good file, and is about to find
        // out by itself.
        if (!(error instanceof EspalierError) || error.code !== 'ERR_ESPALIER_DIVERGED') throw error
      }
    }
  }

  async #store({ newest, best, snapshot }: LaidAside): Promise<void> {
    const { epoch, step } = snapshot.counters
    const file = newest ? this.plan.path : this.#beside('best')
    if (newest) await this.#checkAlone()
    await this.write(file, snapshot)
    if (newest) {
      this.#newest = { epoch, step, identity: identityOf(file) }
      if (best) await alsoNamed(file, this.#beside('best'))
      if (this.plan.last > 0) await this.#keep(step)
    }
    this.emit({ type: 'checkpoint', path: file, epoch, step, best })
  }

  /**
   * Before the first file, clears away what a run that was killed left half written; later, sees that nobody else
   * writes where this run does.
   */
  async #checkAlone(): Promise<void> {
    const { path: file } = this.plan
    if (this.#newest === null) return removeLeftovers(file)
    const found = identityOf(file)
    if (found === this.#newest.identity || found === '') return
    const message = `${file} was written by somebody else since this run wrote it; two runs need two paths`
    throw new EspalierError('ERR_ESPALIER_FILE', message)
  }

  /** Keeps the newest under its number, and of the older ones as many as asked for. */
  async #keep(step: number): Promise<void> {
    this.#kept ??= this.resumed ? await this.#numbersBefore(step) : []
    await alsoNamed(this.plan.path, this.#beside(`step-${step}`))
    this.#kept.push(step)
    while (this.#kept.length > this.plan.last) {
      const old = this.#beside(`step-${this.#kept.shift()}`)
      await rm(old, { force: true }).catch((cause) => {
        throw fileError('remove', old, cause)
      })
    }
  }

  /** What the run that goes on has left. */
  async #numbersBefore(step: number): Promise<number[]> {
    const { name, ext, dir } = path.parse(this.plan.path)
    const names = await readdir(dir === '' ? '.' : dir)
    return names
      .filter((file) => file.startsWith(`${name}.step-`) && file.endsWith(ext))
      .map((file) => Number(file.slice(`${name}.step-`.length, file.length - ext.length)))
      .filter((number) => Number.isSafeInteger(number) && number < step)
      .sort((a, b) => a - b)
  }

  #beside(what: string): string {
    const { dir, name, ext } = path.parse(this.plan.path)
    return path.join(dir, `${name}.${what}${ext}`)
  }
}

/** Of the file that has this name now; empty where there is none. */
function identityOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev} ${found.ino} ${found.mtimeMs}`
}

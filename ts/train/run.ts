import type { NetworkSnapshot } from '../model/snapshot.js'
import type { Metrics, ProgressEvent, RunEvent, RunResult } from './events.js'

/** What a run can be asked for while it is under way. */
export interface RunControls {
  pause(): void
  resume(): void
  snapshot(): Promise<NetworkSnapshot>
}

/**
 * A training run under way. Await it for the result, or iterate it for its events, or both, any number of times.
 *
 * Every iterator sees every event from the start of the run in order, except that of 'progress' only the latest is
 * kept. Leaving a loop early does not stop the run; abort the `signal` given to `fit` for that. A run that fails
 * rejects, and its iterators throw the same error after the events before it.
 */
export class Run<V extends Metrics | null = Metrics | null>
  implements Promise<RunResult<V>>, AsyncIterable<RunEvent<V>>
{
  readonly [Symbol.toStringTag] = 'Run'
  readonly #result: Promise<RunResult<V>>
  /** Everything but progress: bounded by what the result holds anyway. */
  readonly #events: RunEvent<V>[] = []
  /** The latest progress, while it is newer than the last of #events. */
  #progress: ProgressEvent | undefined
  #settled: 'no' | 'yes' | { error: unknown } = 'no'
  #wakers: (() => void)[] = []
  #iterators = 0
  readonly #controls: RunControls
  #paused = false

  /** @internal `task` emits events until its promise settles. */
  constructor(task: (emit: (event: RunEvent<V>) => void) => Promise<RunResult<V>>, controls: RunControls) {
    this.#controls = controls
    this.#result = task((event) => this.#emit(event)).then(
      (result) => {
        this.#settle('yes')
        return result
      },
      (error: unknown) => {
        this.#settle({ error })
        throw error
      },
    )
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting a run is what it is for
  then<A = RunResult<V>, B = never>(
    fulfilled?: ((result: RunResult<V>) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(fulfilled, rejected)
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<RunResult<V> | B> {
    return this.#result.catch(rejected)
  }

  finally(done?: (() => void) | null): Promise<RunResult<V>> {
    return this.#result.finally(done)
  }

  /** Whether it rests, or is about to: `pause` was called last, and not `resume`; never once the run is over. */
  get paused(): boolean {
    return this.#paused
  }

  /**
   * Lets training rest after the step that it is in, with no processor taken and all memory kept, until `resume` or the
   * end by the signal. Does nothing once the run is over.
   */
  pause(): void {
    if (this.#settled !== 'no') return
    this.#paused = true
    this.#controls.pause()
  }

  /** Lets training go on. Does nothing where it was not paused. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#controls.resume()
  }

  /**
   * A consistent copy of the network between two steps, also while the run rests or when it is over.
   *
   * @throws ERR_ESPALIER_STATE when the network was disposed
   */
  snapshot(): Promise<NetworkSnapshot> {
    return this.#controls.snapshot()
  }

  /** A new reader of the events, from the first one on. */
  [Symbol.asyncIterator](): AsyncIterableIterator<RunEvent<V>> {
    const take = this.#reader()
    let open = true
    this.#iterators++
    const close = () => {
      if (open) this.#iterators--
      open = false
    }
    const iterator: AsyncIterableIterator<RunEvent<V>> = {
      next: async () => {
        while (open) {
          const event = take()
          if (event !== undefined) return { done: false, value: event }
          if (this.#settled === 'no') {
            await new Promise<void>((resolve) => this.#wakers.push(resolve))
            continue
          }
          close()
          if (this.#settled !== 'yes') throw this.#settled.error
        }
        return { done: true, value: undefined }
      },
      return: async () => {
        close()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** Gives the next event that this reader has not seen, or undefined when there is none yet. */
  #reader(): () => RunEvent<V> | undefined {
    let position = 0
    let seen: ProgressEvent | undefined
    return () => {
      if (position < this.#events.length) return this.#events[position++]
      if (this.#progress === undefined || this.#progress === seen) return undefined
      seen = this.#progress
      return seen
    }
  }

  #emit(event: RunEvent<V>): void {
    if (event.type === 'progress') {
      this.#progress = event
    } else {
      this.#progress = undefined
      this.#events.push(event)
    }
    this.#wake()
  }

  #settle(how: 'yes' | { error: unknown }): void {
    this.#settled = how
    this.#paused = false
    this.#progress = undefined
    // An open iterator will throw the error, so nobody has to await the run as well.
    if (how !== 'yes' && this.#iterators > 0) this.#result.catch(() => {})
    this.#wake()
  }

  #wake(): void {
    const wakers = this.#wakers
    this.#wakers = []
    for (const wake of wakers) wake()
  }
}

import type { NetworkSnapshot } from '../model/snapshot.js'
import type { Metrics, RunEvent, RunResult } from '../train/events.js'
import type { ObservedRun, RunListener, RunObserver } from './observer.js'

/** Tells observers of one run, and lets nothing that they do reach it. */
export class Following {
  readonly #listeners: RunListener[] = []
  #warned = false

  /** @param run not looked at where there is no observer */
  begin(observers: readonly RunObserver[], run: ObservedRun): void {
    for (const observer of observers) {
      this.#guard(() => {
        const listener = observer(run)
        if (listener) this.#listeners.push(listener)
        return listener
      })
    }
  }

  /** The same way of writing a snapshot to a file, timed and told. */
  writing<Rest extends unknown[]>(
    write: (path: string, snapshot: NetworkSnapshot, ...rest: Rest) => Promise<void>,
  ): typeof write {
    return async (path, snapshot, ...rest) => {
      const { epoch, step } = snapshot.counters
      const started = performance.now()
      const tell = (error: unknown): void => {
        const seconds = (performance.now() - started) / 1000
        const written = { path, epoch, step, seconds, error: error === null ? null : codeOf(error) }
        this.#tell((listener) => listener.checkpoint?.(written))
      }
      try {
        await write(path, snapshot, ...rest)
      } catch (error) {
        tell(error)
        throw error
      }
      tell(null)
    }
  }

  /** The same run, told. */
  async follow<V extends Metrics | null>(
    task: (emit: (event: RunEvent<V>) => void) => Promise<RunResult<V>>,
    emit: (event: RunEvent<V>) => void,
  ): Promise<RunResult<V>> {
    try {
      const result = await task((event) => {
        emit(event)
        this.#tell((listener) => listener.event?.(event))
      })
      this.#tell((listener) => listener.end?.({ reason: result.reason, result }))
      return result
    } catch (error) {
      this.#tell((listener) => listener.end?.({ reason: 'failed', code: codeOf(error), error }))
      throw error
    }
  }

  #tell(call: (listener: RunListener) => unknown): void {
    for (const listener of this.#listeners) this.#guard(() => call(listener))
  }

  #guard(call: () => unknown): void {
    try {
      const returned = call()
      if (returned instanceof Promise) returned.catch((error) => this.#warn(error))
    } catch (error) {
      this.#warn(error)
    }
  }

  /** Once a run: what throws at one event is likely to throw at the next. */
  #warn(error: unknown): void {
    if (this.#warned) return
    this.#warned = true
    const message = error instanceof Error ? error.message : String(error)
    process.emitWarning(`an observer of a run threw: ${message}`, { code: 'ESPALIER_OBSERVER' })
  }
}

/** The code of an error, Espalier's or another's, as a stream of samples may throw it; without one its name. */
export function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return String(code ?? name ?? 'Error')
}

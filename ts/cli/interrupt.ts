import { type Console, Interrupted } from './console.js'

/**
 * SIGINT and SIGTERM as an AbortSignal, whose reason is `Interrupted`. The first asks to stop; a second one ends the
 * process at once, for a person who will not wait.
 */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController()
  readonly #onSignal: (name: NodeJS.Signals) => void
  #reason: Interrupted | null = null

  /**
   * @param console told of the first signal
   * @param advice what happens now, for a person
   * @param clear called before anything is printed
   */
  constructor(console: Console, advice: string, clear: () => void = () => {}) {
    this.#onSignal = (name) => {
      const reason = new Interrupted(name === 'SIGINT' ? 130 : 143)
      if (this.#reason !== null) process.exit(reason.exitCode)
      this.#reason = reason
      clear()
      console.note(`${name}: ${advice}; once more ends at once`)
      this.#controller.abort(reason)
    }
    process.on('SIGINT', this.#onSignal)
    process.on('SIGTERM', this.#onSignal)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** 130 after SIGINT, 143 after SIGTERM, null before. */
  get exitCode(): number | null {
    return this.#reason?.exitCode ?? null
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onSignal)
    process.off('SIGTERM', this.#onSignal)
  }
}

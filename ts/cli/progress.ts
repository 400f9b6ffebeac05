import { SingleBar } from 'cli-progress'
import type { RunEvent } from '../index.js'
import { formatCount, formatLoss, formatPercent, formatSeconds, formatShort } from '../report/numbers.js'
import type { Console } from './console.js'

const columns = [
  ['epoch', 9],
  ['loss', 9],
  ['training', 10],
  ['test', 10],
  ['moved', 11],
  ['samples/s', 11],
  ['time', 12],
] as const

const line = (cells: readonly string[]): string =>
  cells.map((cell, i) => cell.padStart(columns[i]![1])).join('')

/** Shows a run: a line for each epoch, and for a person who watches a bar inside the epoch. */
export class RunProgress implements Disposable {
  readonly #console: Console
  readonly #epochs: number
  #bar: SingleBar | null = null
  #moved = 0
  #headed = false

  /** @param epochs how many the whole run has */
  constructor(console: Console, epochs: number) {
    this.#console = console
    this.#epochs = epochs
  }

  handle(event: RunEvent): void {
    if (event.type === 'progress') this.#update(event)
    if (event.type === 'rewire') {
      for (const { moved, returned } of event.layers) this.#moved += moved - returned
    }
    if (event.type === 'epoch') this.#epoch(event)
  }

  #update({ epoch, step, stepsPerEpoch, loss }: Extract<RunEvent, { type: 'progress' }>): void {
    if (!this.#console.live) return
    const shown = { epoch: `${epoch}/${this.#epochs}`, loss: formatLoss(loss) }
    if (this.#bar === null) {
      this.#bar = new SingleBar({
        format: 'epoch {epoch} {bar} {percentage} %  loss {loss}',
        barCompleteChar: '\u2588',
        barIncompleteChar: '\u2591',
        barsize: 32,
        clearOnComplete: true,
        hideCursor: true,
      })
      this.#bar.start(stepsPerEpoch, step, shown)
    } else this.#bar.update(step, shown)
  }

  #epoch({
    epoch,
    train,
    validation,
    samplesPerSecond,
    seconds,
  }: Extract<RunEvent, { type: 'epoch' }>): void {
    this.stop()
    if (!this.#headed) this.#console.say(line(columns.map(([name]) => name)))
    this.#headed = true
    this.#console.say(
      line([
        `${epoch}/${this.#epochs}`,
        formatLoss(train.loss),
        formatPercent(train.accuracy),
        validation === null
          ? '-'
          : validation.accuracy === null
            ? formatLoss(validation.loss)
            : formatPercent(validation.accuracy),
        formatCount(this.#moved),
        formatShort(samplesPerSecond),
        formatSeconds(seconds),
      ]),
    )
    this.#moved = 0
  }

  /** Takes the bar away, so that lines can be printed. */
  stop(): void {
    this.#bar?.stop()
    this.#bar = null
  }

  [Symbol.dispose](): void {
    this.stop()
  }
}

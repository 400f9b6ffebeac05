import { SingleBar } from 'cli-progress'
import type { CompareProgress, CompareRun } from '../index.js'
import { formatLoss, formatPercent, formatSeconds } from '../report/numbers.js'
import type { Console } from './console.js'

/** Shows a comparison: a line for each run that ends, and for a person who watches a bar over all epochs. */
export class CompareBar implements Disposable {
  readonly #console: Console
  readonly #started = performance.now()
  #bar: SingleBar | null = null
  #told = false

  constructor(console: Console) {
    this.#console = console
  }

  handle({ total, done, found, failed, epochs, epochsDone, ended }: CompareProgress): void {
    if (!this.#told && found > 0) this.#console.say(`${found} of ${total} runs were done before`)
    this.#told = true
    if (ended !== null) this.#line(ended, `${done}/${total}`)
    if (!this.#console.live || done === total) return
    const seconds = (performance.now() - this.#started) / 1000
    const left =
      epochsDone === 0 ? '' : `  ${formatSeconds((seconds / epochsDone) * (epochs - epochsDone))} left`
    const shown = { runs: `${done}/${total}`, failed: failed === 0 ? '' : `  ${failed} failed`, left }
    if (this.#bar === null) {
      this.#bar = new SingleBar({
        format: 'runs {runs} {bar} {percentage} %{failed}{left}',
        barCompleteChar: '\u2588',
        barIncompleteChar: '\u2591',
        barsize: 32,
        clearOnComplete: true,
        hideCursor: true,
      })
      this.#bar.start(epochs, epochsDone, shown)
    } else this.#bar.update(epochsDone, shown)
  }

  #line(run: CompareRun, count: string): void {
    this.stop()
    const { dataset, method, sparsity, seed } = run.job
    const place = [
      dataset.as,
      method.name,
      ...(sparsity === null ? [] : [`sparsity ${sparsity}`]),
      `seed ${seed}`,
    ]
    this.#console.say(`${count.padStart(9)}  ${place.join(', ')}: ${how(run)}`)
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

function how(run: CompareRun): string {
  if (run.status === 'failed') return `failed: ${run.error.message}`
  const { accuracy, loss, seconds } = run.result
  const score = accuracy === null ? `loss ${formatLoss(loss)}` : formatPercent(accuracy)
  return `${score} in ${formatSeconds(seconds)}`
}

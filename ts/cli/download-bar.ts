import { SingleBar } from 'cli-progress'
import type { DownloadProgress } from '../index.js'
import { formatBytes } from '../report/numbers.js'
import type { Console } from './console.js'

/** A bar for each file that is downloaded; a line where nobody watches. */
export class DownloadBar implements Disposable {
  readonly #console: Console
  #file: string | null = null
  #bar: SingleBar | null = null

  constructor(console: Console) {
    this.#console = console
  }

  update({ file, received, total }: DownloadProgress): void {
    if (file !== this.#file) {
      this.#bar?.stop()
      this.#bar = null
      this.#file = file
      if (!this.#console.live) this.#console.note(`downloading ${file}`)
      else {
        this.#bar = new SingleBar({
          format: `${file} {bar} {size}`,
          barsize: 32,
          clearOnComplete: true,
          hideCursor: true,
        })
        this.#bar.start(total ?? received, 0, { size: '' })
      }
    }
    if (total === undefined) this.#bar?.setTotal(received)
    this.#bar?.update(received, { size: formatBytes(received) })
  }

  [Symbol.dispose](): void {
    this.#bar?.stop()
  }
}

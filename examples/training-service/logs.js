import { EventLog } from './events.js'
import { files } from './files.js'

/** The event logs of jobs: one for each that is not over, made anew for whoever asks for one that is. */
export class Logs {
  #store
  #log
  #live = new Map()

  constructor(store, log) {
    this.#store = store
    this.#log = log
  }

  /** For a job that is about to begin or go on. */
  async open(job) {
    const events = this.#make(job)
    await events.open()
    this.#live.set(job, events)
  }

  of(job) {
    return this.#live.get(job)
  }

  /** To read the events of any job. */
  async reader(job) {
    const live = this.#live.get(job)
    if (live !== undefined) return live
    const events = this.#make(job)
    await events.open()
    await events.end()
    return events
  }

  async end(job) {
    const events = this.#live.get(job)
    this.#live.delete(job)
    await events?.end()
  }

  /** Writes what is still under way. */
  async close() {
    await Promise.all([...this.#live.keys()].map((job) => this.end(job)))
  }

  #make(job) {
    return new EventLog(this.#store.pathOf(job, files.events), this.#log)
  }
}

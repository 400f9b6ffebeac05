import { Failure } from './failure.js'

/** Jobs that wait for their turn, first come, first served, never more than `capacity`. */
export class Queue {
  #waiting = []
  #reserved = 0

  constructor(capacity) {
    this.capacity = capacity
  }

  get length() {
    return this.#waiting.length
  }

  /**
   * Keeps a place for a job whose data is still under way.
   *
   * @returns {() => void} gives the place back; harmless when called again
   * @throws {Failure} 429 when there is none
   */
  reserve() {
    if (this.#waiting.length + this.#reserved >= this.capacity) {
      throw new Failure(429, 'ERR_QUEUE_FULL', `${this.capacity} jobs are waiting; try again later`)
    }
    this.#reserved++
    let kept = true
    return () => {
      if (kept) this.#reserved--
      kept = false
    }
  }

  /** Also beyond the capacity: a job that was accepted is kept, whatever the capacity is after a restart. */
  push(job) {
    this.#waiting.push(job)
  }

  /** The one whose turn is next; undefined where none waits. */
  get first() {
    return this.#waiting[0]
  }

  shift() {
    return this.#waiting.shift()
  }

  /** @returns whether it was waiting */
  remove(job) {
    const at = this.#waiting.indexOf(job)
    if (at >= 0) this.#waiting.splice(at, 1)
    return at >= 0
  }
}

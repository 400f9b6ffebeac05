/**
 * What happens to a job, as server-sent events. Everything but progress lies in a file of the job's folder in just the form
 * that clients get, and an event's id is its offset there: a client that was cut off goes on where it was, also after a
 * restart, and costs no memory, however slow it is. Of progress only the latest is known.
 */
import { open, truncate } from 'node:fs/promises'

/** Bytes that are read at once for a client. */
const chunkBytes = 65_536
/** No event is longer. */
const longestEvent = 4096

export class EventLog {
  #file
  #log
  /** Bytes of whole events on disk, and with those under way. */
  #size = 0
  #next = 0
  #handle = null
  #last = Promise.resolve()
  #progress = null
  #over = false
  #failed = false
  #readers = new Set()

  /** @param {string} file @param {{ error(...args: unknown[]): void }} log told when the disk refuses */
  constructor(file, log) {
    this.#file = file
    this.#log = log
  }

  /** Goes on with what a former process wrote; an event that it was killed in is cut off. */
  async open() {
    const handle = await open(this.#file, 'r').catch((error) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (handle === null) return
    try {
      const { size } = await handle.stat()
      const start = Math.max(0, size - 2 * longestEvent)
      const tail = await readBytes(handle, start, size - start)
      const end = tail.lastIndexOf('\n\n')
      this.#size = this.#next = end < 0 ? 0 : start + end + 2
      if (this.#size < size) await truncate(this.#file, this.#size)
    } finally {
      await handle.close()
    }
  }

  /** Adds an event. It is written after those before it; training never waits for that. */
  append(type, data) {
    if (this.#failed) return
    const text = format(type, data, this.#next)
    this.#next += Buffer.byteLength(text)
    this.#last = this.#last.then(() => this.#write(text))
  }

  /** Tells those who listen right now. */
  progress(data) {
    this.#progress = format('progress', data)
    this.#wake()
  }

  /** Nothing more will happen; resolves when everything is written. */
  async end() {
    await this.#last
    await this.#handle?.close()
    this.#handle = null
    this.#progress = null
    this.#over = true
    this.#wake()
  }

  /**
   * The events as text, from the one after `lastId`; from the first where that is none of ours. Ends when the job is over
   * or the signal is aborted.
   *
   * @param {string | undefined} lastId
   * @param {AbortSignal} signal
   * @param {number} heartbeat milliseconds of silence after which a comment is sent
   * @returns {AsyncGenerator<string | Buffer>}
   */
  async *read(lastId, signal, heartbeat = 15_000) {
    let handle = null
    let position = 0
    let seen = null
    try {
      while (!signal.aborted) {
        if (handle === null && this.#size > 0) {
          handle = await open(this.#file, 'r')
          position = await after(handle, lastId, this.#size)
        }
        if (position < this.#size) {
          const chunk = await readBytes(handle, position, Math.min(chunkBytes, this.#size - position))
          if (chunk.length === 0) return
          position += chunk.length
          yield chunk
        } else if (this.#over) {
          return
        } else if (this.#progress !== null && this.#progress !== seen) {
          seen = this.#progress
          yield seen
        } else if (!(await this.#change(signal, heartbeat))) {
          yield ': nothing new\n\n'
        }
      }
    } finally {
      await handle?.close()
    }
  }

  async #write(text) {
    if (this.#failed) return
    try {
      this.#handle ??= await open(this.#file, 'a')
      await this.#handle.appendFile(text)
      this.#size += Buffer.byteLength(text)
      this.#wake()
    } catch (error) {
      // Ids would no longer be offsets. The job goes on; its events end here.
      this.#failed = true
      this.#log.error(error, 'events cannot be written')
    }
  }

  /** @returns whether something happened, rather than nothing for `milliseconds` */
  #change(signal, milliseconds) {
    return new Promise((resolve) => {
      const done = (happened) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', woken)
        this.#readers.delete(woken)
        resolve(happened)
      }
      const woken = () => done(true)
      const timer = setTimeout(() => done(false), milliseconds)
      signal.addEventListener('abort', woken, { once: true })
      this.#readers.add(woken)
    })
  }

  #wake() {
    for (const woken of [...this.#readers]) woken()
  }
}

/** An event as clients get it. @param {number | string} [id] */
export function format(type, data, id) {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Where the event after `lastId` begins; 0 where no event has that id. */
async function after(handle, lastId, size) {
  if (lastId === undefined || !/^\d{1,15}$/.test(lastId) || Number(lastId) >= size) return 0
  const bytes = await readBytes(handle, Number(lastId), Math.min(longestEvent, size - Number(lastId)))
  const end = bytes.indexOf('\n\n')
  return bytes.toString('latin1').startsWith(`id: ${lastId}\n`) && end >= 0 ? Number(lastId) + end + 2 : 0
}

async function readBytes(handle, position, length) {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** Data sets: what is on offer by name, and reading them. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { Failure } from './failure.js'

/** Made by the library, without a file. */
const generators = ['digits', 'madelon']

/** Of a name, as JSON schema. */
export const nameSchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
  description: 'name of a data set, see GET /datasets',
}

/** What the library says of data that it cannot use; everything else is our own trouble. */
const clientsFault = new Set([
  'ERR_ESPALIER_DATA',
  'ERR_ESPALIER_FORMAT',
  'ERR_ESPALIER_NOT_FOUND',
  'ERR_ESPALIER_OPTION',
  'ERR_ESPALIER_MEMORY',
])

export class DataSets {
  #folder
  #maxBytes
  #milliseconds
  #worker = null
  /** Of the request that the worker is at. */
  #answer = null
  /** Requests are served one after the other. */
  #last = Promise.resolve()
  /** Named data sets that were read, least recently used first. */
  #cache = new Map()

  /**
   * @param {string} folder whose files are on offer; '' for none
   * @param {number} maxBytes that reading a data set may take in memory, and that those kept in memory may take together
   * @param {number} milliseconds that reading one data set may take
   */
  constructor(folder, maxBytes, milliseconds = 60_000) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#milliseconds = milliseconds
  }

  /** Names that a job may ask for. */
  async names() {
    if (this.#folder === '') return generators
    const entries = await readdir(this.#folder, { withFileTypes: true })
    const name = new RegExp(nameSchema.pattern)
    const files = entries.filter((entry) => entry.isFile() && name.test(entry.name)).map(({ name }) => name)
    return [...generators, ...files.sort().filter((file) => !generators.includes(file))]
  }

  /**
   * A data set by its name, as training and test part.
   *
   * @throws {Failure} 400 when there is none of that name, or it cannot be used
   */
  async named(name, { label, task }, signal) {
    // A name counts only if it is one that we offer: what becomes a path is never what the client sent.
    const known = (await this.names()).find((one) => one === name)
    if (known === undefined) {
      throw new Failure(400, 'ERR_NO_DATASET', `there is no data set "${name}"; GET /datasets lists them`)
    }
    if (generators.includes(known)) {
      if (label !== undefined || task === 'regression') {
        throw new Failure(400, 'ERR_INVALID', `settings: "label" and "task" mean nothing for ${known}`)
      }
      return this.#cached(known, { kind: 'generator', name: known }, signal)
    }
    const file = path.join(this.#folder, known)
    const { mtimeMs, size } = await stat(file)
    const request = { kind: 'file', name: known, file, options: this.#readOptions({ label, task }) }
    return this.#cached(JSON.stringify([known, mtimeMs, size, label, task]), request, signal)
  }

  /** A file that was uploaded, as training and test part. @throws {Failure} 400 when it cannot be used */
  uploaded(file, { label, task }, signal) {
    const options = this.#readOptions({ label, task })
    return this.#read({ kind: 'file', name: 'the uploaded file', file, options }, signal)
  }

  /** Samples without labels, to predict from. @throws {Failure} 400 when it cannot be used */
  unlabelled(file) {
    return this.#read({ kind: 'rows', name: 'the body', file, options: this.#readOptions({ label: null }) })
  }

  async close() {
    await this.#worker?.terminate()
  }

  #readOptions(options) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    return { ...Object.fromEntries(given), maxBytes: this.#maxBytes }
  }

  #cached(key, request, signal) {
    return this.#inTurn(async () => {
      const found = this.#cache.get(key) ?? (await this.#ask(request))
      this.#cache.delete(key)
      this.#cache.set(key, found)
      this.#trim()
      return found
    }, signal)
  }

  #read(request, signal) {
    return this.#inTurn(() => this.#ask(request), signal)
  }

  /** Waits for its turn and the answer, or for the signal. */
  async #inTurn(task, signal) {
    const turn = this.#last.then(() => {
      signal?.throwIfAborted()
      return task()
    })
    this.#last = turn.catch(() => {})
    if (signal === undefined) return turn
    let abort
    const aborted = new Promise((_, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
    })
    return Promise.race([turn, aborted]).finally(() => signal.removeEventListener('abort', abort))
  }

  #ask(request) {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => worker.terminate(), this.#milliseconds)
      this.#answer = ({ value, error }) => {
        clearTimeout(timer)
        this.#answer = null
        if (error === undefined) resolve(value)
        else if (clientsFault.has(error.code)) reject(new Failure(400, error.code, error.message))
        else reject(Object.assign(new Error(error.message), { code: error.code }))
      }
      worker.postMessage(request)
    })
  }

  #start() {
    const worker = new Worker(new URL('./data-worker.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    })
    worker.unref()
    // An error is followed by the exit, when another worker may be at work already.
    const lost = (message) => {
      if (this.#worker !== worker) return
      this.#worker = null
      this.#answer?.({ error: { code: 'ERR_ESPALIER_DATA', message } })
    }
    worker.on('message', (answer) => this.#answer?.(answer))
    worker.on('error', (error) => lost(`the data set cannot be read here (${error.code ?? error.message})`))
    worker.on('exit', () => lost(`reading the data set took more than ${this.#milliseconds / 1000} seconds`))
    return worker
  }

  /** Lets go of what was not used for longest, until the rest fits. */
  #trim() {
    let bytes = 0
    for (const [key, { train, test }] of [...this.#cache].reverse()) {
      bytes += train.values.byteLength + test.values.byteLength
      if (bytes > this.#maxBytes) this.#cache.delete(key)
    }
  }
}

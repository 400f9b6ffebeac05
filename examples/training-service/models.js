/** Trained models, loaded to predict with; those used last are kept at hand. */
import { applyScaling, EspalierError, Network } from 'espalier'
import { Failure } from './failure.js'
import { files } from './files.js'
import { readMeaning } from './meaning.js'

/** Numbers that one answer may hold. */
const mostNumbers = 1_000_000

/** Models at hand, however small: each has a thread of its own. */
const mostModels = 16

export class Models {
  #store
  #maxBytes
  /** By id of the job, least recently used first: { loading, bytes, users, dropped }. */
  #kept = new Map()

  /** @param {number} maxBytes that models at hand may take together; one may always be there */
  constructor(store, maxBytes) {
    this.#store = store
    this.#maxBytes = maxBytes
  }

  /**
   * What the model of a job says about samples.
   *
   * @param job that is over
   * @param {(meaning: object) => Promise<object>} read gives a data set, told what the inputs stand for
   * @returns {Promise<object[]>} for each sample its class and the probability of each class, or its values
   * @throws {Failure} 400 when there are too many, 409 when the job has no model
   */
  async predict(job, read) {
    const model = this.#take(job)
    try {
      const { network, meaning } = await model.loading
      const samples = await read(meaning)
      const width = Math.max(1, meaning.classes)
      if (samples.samples * width > mostNumbers) {
        const most = Math.floor(mostNumbers / width)
        throw new Failure(400, 'ERR_TOO_MANY_ROWS', `${samples.samples} rows; allowed: ${most} at once`)
      }
      const scaled = meaning.scaling === undefined ? samples : applyScaling(samples, meaning.scaling)
      const values = await network.predict(scaled, { threads: 1 })
      return Array.from({ length: samples.samples }, (_, i) =>
        describe(values.subarray(i * width, (i + 1) * width), meaning),
      )
    } finally {
      this.#giveBack(model)
    }
  }

  /** Frees the model of a job, as soon as nobody predicts with it any more. */
  drop(id) {
    const model = this.#kept.get(id)
    if (model === undefined) return
    this.#kept.delete(id)
    model.dropped = true
    free(model)
  }

  close() {
    for (const id of [...this.#kept.keys()]) this.drop(id)
  }

  #take({ id }) {
    const model = this.#kept.get(id) ?? this.#begin(id)
    model.users++
    this.#kept.delete(id)
    this.#kept.set(id, model)
    this.#trim()
    return model
  }

  #begin(id) {
    const model = { loading: this.#load(id), bytes: 0, users: 0, dropped: false }
    const loaded = ({ network }) => {
      model.bytes = Object.values(network.memory()).reduce((sum, bytes) => sum + bytes, 0)
      this.#trim()
    }
    // The next one to ask tries again.
    const failed = () => {
      if (this.#kept.get(id) === model) this.drop(id)
    }
    model.loading.then(loaded, failed)
    return model
  }

  /** Lets go of those not used for longest, until the rest is few and small enough. */
  #trim() {
    let bytes = 0
    let count = 0
    for (const [id, model] of [...this.#kept].reverse()) {
      bytes += model.bytes
      count++
      if (count > mostModels || (count > 1 && bytes > this.#maxBytes)) this.drop(id)
    }
  }

  #giveBack(model) {
    model.users--
    free(model)
  }

  async #load(id) {
    try {
      const meaning = await readMeaning(this.#store.pathOf({ id }, files.meaning))
      return { meaning, network: await Network.load(this.#store.pathOf({ id }, files.model)) }
    } catch (error) {
      const missing = error instanceof EspalierError ? 'ERR_ESPALIER_NOT_FOUND' : 'ENOENT'
      if (error.code !== missing) throw error
      throw new Failure(409, 'ERR_NO_MODEL', 'the job ended before it had a model')
    }
  }
}

function free({ loading, users, dropped }) {
  if (dropped && users === 0) loading.then(({ network }) => network.dispose()).catch(() => {})
}

function describe(values, { classes, classNames }) {
  const numbers = Array.from(values)
  if (classes === 0) return { values: numbers }
  return { class: classNames[numbers.indexOf(Math.max(...numbers))], probabilities: numbers }
}

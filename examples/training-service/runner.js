/** Carries out jobs, so many at once, and keeps their records true. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { EspalierError, Network } from 'espalier'
import { Failure } from './failure.js'
import { files } from './files.js'
import { fitSettings, makeNetwork } from './job-settings.js'
import { writeMeaning } from './meaning.js'

/** Times that the service may die before a job gets to a record: perhaps it is the job that kills it. */
const mostAttempts = 3
/** Milliseconds between two records of a job that trains. */
const recordEvery = 5000

/** Why a run is told to stop. */
const stops = { cancel: 'cancel', shutdown: 'shutdown' }
/** Seconds that a run gets at least, where those of the job were used up before a restart. */
const leastSeconds = 0.001

export class Runner {
  #parts
  /** By job: what stops it, and the promise of its end. */
  #running = new Map()
  #stopping = false

  /** @param parts of the service, see service.js */
  constructor(parts) {
    this.#parts = parts
  }

  get running() {
    return this.#running.size
  }

  /** Takes up what a former process left. */
  async recover() {
    const { store, logs, log } = this.#parts
    for (const job of store.all().filter(({ state }) => state === 'queued' || state === 'running')) {
      await logs.open(job)
      if (job.attempts >= mostAttempts) {
        const message = `the service died ${job.attempts} times before this job got anywhere`
        await this.#end(job, { state: 'failed', error: { code: 'ERR_ATTEMPTS', message } })
        continue
      }
      if (job.state === 'running') log.info({ job: job.id }, 'going on with an interrupted job')
      job.state = 'queued'
      this.enqueue(job)
    }
  }

  /** @param job whose record and data are on disk */
  enqueue(job) {
    this.#parts.queue.push(job)
    this.#startNext()
  }

  /** Stops a job that is not over; resolves when it is. */
  async cancel(job) {
    if (this.#parts.queue.remove(job)) return this.#end(job, { state: 'cancelled' })
    const run = this.#running.get(job)
    run?.controller.abort(stops.cancel)
    await run?.ended
  }

  /** Stops every run at a step and saves it, to go on at the next start. */
  async stop() {
    this.#stopping = true
    for (const { controller } of this.#running.values()) controller.abort(stops.shutdown)
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }

  #startNext() {
    const { queue, settings } = this.#parts
    while (!this.#stopping && this.#running.size < settings.running && this.#fits(queue.first)) {
      const job = queue.shift()
      const controller = new AbortController()
      const ended = this.#carryOut(job, controller).finally(() => {
        this.#running.delete(job)
        this.#startNext()
      })
      this.#running.set(job, { controller, ended })
    }
  }

  /** Whether there is a job, and the memory that it needs. */
  #fits(job) {
    if (job === undefined) return false
    const taken = [...this.#running.keys()].reduce((sum, { bytes }) => sum + bytes, 0)
    return taken === 0 || taken + job.bytes <= this.#parts.budget.jobs
  }

  /** Trains and ends a job, whatever happens. */
  async #carryOut(job, controller) {
    const { signal } = controller
    let outcome
    try {
      const { reason } = await this.#train(job, signal)
      outcome = reason === 'cancelled' ? signal.reason : reason
    } catch (error) {
      outcome = signal.aborted && error === signal.reason ? signal.reason : error
    }
    if (outcome === stops.shutdown) await this.#putBack(job)
    else if (outcome === stops.cancel) await this.#end(job, { state: 'cancelled' })
    else if (typeof outcome === 'string') await this.#end(job, { state: 'finished', reason: outcome })
    else await this.#end(job, { state: 'failed', error: this.#explain(job, outcome) })
  }

  async #train(job, signal) {
    const { settings, store, logs } = this.#parts
    Object.assign(job, { state: 'running', started: job.started ?? now(), attempts: job.attempts + 1 })
    await store.save(job)
    const { train, test, scaling } = await this.#load(job, signal)
    await writeMeaning(store.pathOf(job, files.meaning), train, scaling)

    const model = store.pathOf(job, files.model)
    const network = existsSync(model) ? await Network.load(model) : makeNetwork(job.settings, train)
    try {
      logs.of(job).append('start', network.progress)
      const run = network.fit(train, {
        ...fitSettings(job.settings),
        validation: test,
        threads: settings.threads,
        signal,
        maxSeconds: Math.max(leastSeconds, job.settings.maxSeconds - job.seconds),
        checkpoint: { path: model, every: { seconds: settings.checkpointSeconds } },
        resume: true,
      })
      await this.#follow(job, run)
      return await run
    } finally {
      network.dispose()
    }
  }

  #load({ id, source, settings }, signal) {
    const { data, store } = this.#parts
    if (source.upload) return data.uploaded(store.pathOf({ id }, files.upload), settings, signal)
    return data.named(source.name, settings, signal)
  }

  /** Tells of a run what clients are told, and keeps in the record what a restart needs. */
  async #follow(job, run) {
    const log = this.#parts.logs.of(job)
    const before = job.seconds
    const began = performance.now()
    let recorded = began
    let moved = 0
    for await (const { type, ...event } of run) {
      job.seconds = before + (performance.now() - began) / 1000
      if (type === 'progress') log.progress(event)
      if (type === 'rewire') moved += event.layers.reduce((sum, layer) => sum + layer.moved, 0)
      if (type === 'epoch') {
        const { epoch, step, train, validation, learningRate, seconds } = event
        job.progress = { epochs: epoch, steps: step }
        job.metrics = { train, validation }
        log.append('epoch', { epoch, step, train, validation, learningRate, seconds, moved })
        moved = 0
      }
      if (type === 'checkpoint') {
        log.append('checkpoint', { epoch: event.epoch, step: event.step })
        if (performance.now() - recorded > recordEvery) {
          job.attempts = 1
          await this.#record(job)
          recorded = performance.now()
        }
      }
    }
  }

  /** As it was before it ran, but for what it has learnt. */
  async #putBack(job) {
    Object.assign(job, { state: 'queued', attempts: 0 })
    await this.#record(job)
  }

  /** Whoever sees that a job is over finds everything of it on disk. */
  async #end(job, change) {
    const { store, logs, metrics, log } = this.#parts
    const over = { ...job, ...change, ended: now() }
    await this.#record(over)
    const complain = (error) => log.error({ job: job.id, err: error }, 'files cannot be removed')
    await rm(store.pathOf(job, files.upload), { force: true }).catch(complain)
    Object.assign(job, over)
    metrics.ended.inc({ state: job.state })
    await logs.end(job)
    await store.prune().catch(complain)
  }

  /** A disk that refuses must not take the service down with it. */
  async #record(job) {
    try {
      await this.#parts.store.save(job)
    } catch (error) {
      this.#parts.log.error({ job: job.id, err: error }, 'the record of a job cannot be written')
    }
  }

  /** For the client: what was wrong with its job, without our paths; of our own troubles only that there were some. */
  #explain(job, error) {
    this.#parts.log.warn({ job: job.id, err: error }, 'a job failed')
    if (!(error instanceof EspalierError || error instanceof Failure)) {
      return { code: 'ERR_INTERNAL', message: 'something went wrong in the service; its log says what' }
    }
    const { code, message } = error
    return { code, message: message.replaceAll(this.#parts.store.pathOf(job), 'the folder of the job') }
  }
}

const now = () => new Date().toISOString()

/** Jobs, and the folder of each: what must outlive the process. No path is made of anything that a client sent. */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { files } from './files.js'
import { syncFolder, writeWhole } from './whole-file.js'

const idPattern = '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'

/** Of an id, as JSON schema: what `randomUUID` makes and nothing else. */
export const idSchema = { type: 'string', pattern: idPattern, description: 'id of a job' }

/** The states of a job; it does not leave the last three. */
export const states = ['queued', 'running', 'finished', 'cancelled', 'failed']
export const isOver = ({ state }) => states.indexOf(state) >= 2

const recordName = 'job.json'
const known = new Set([recordName, ...Object.values(files)])

export class Store {
  #folder
  #keep
  /** By id, oldest first. */
  #jobs = new Map()
  /** Of each job, the last write of its record, so that one follows the other. */
  #writes = new Map()
  #log
  #onDrop

  /**
   * @param {string} folder
   * @param {{ jobs: number, hours: number }} keep how many jobs that are over are kept, and how long
   * @param log told of what cannot be read
   * @param {(job: object) => void} onDrop told of each job that is dropped
   */
  constructor(folder, keep, log, onDrop) {
    this.#folder = folder
    this.#keep = keep
    this.#log = log
    this.#onDrop = onDrop
  }

  /** Reads what is there; what a killed process had only begun is removed. */
  async open() {
    await mkdir(this.#folder, { recursive: true })
    const id = new RegExp(idPattern)
    const entries = await readdir(this.#folder, { withFileTypes: true })
    const jobs = []
    for (const entry of entries.filter((one) => one.isDirectory() && id.test(one.name))) {
      const folder = path.join(this.#folder, entry.name)
      const job = await readRecord(path.join(folder, recordName))
      if (job === undefined) await rm(folder, { recursive: true })
      else if (job?.id === entry.name) {
        await removeOthers(folder)
        jobs.push(job)
      } else this.#log.warn(`${folder} is passed over: ${recordName} is not as the service writes it`)
    }
    jobs.sort((a, b) => a.created.localeCompare(b.created))
    for (const job of jobs) this.#jobs.set(job.id, job)
    await this.prune()
  }

  get(id) {
    return this.#jobs.get(id)
  }

  /** All jobs, oldest first. */
  all() {
    return [...this.#jobs.values()]
  }

  /** A folder for a job that is not there yet. */
  async makeFolder() {
    const id = randomUUID()
    await mkdir(this.pathOf({ id }))
    return id
  }

  /** Removes the folder of a job that came to nothing. */
  async removeFolder(id) {
    await rm(this.pathOf({ id }), { recursive: true, force: true })
  }

  /** @param {string} parts names of ours inside the job's folder */
  pathOf(job, ...parts) {
    return path.join(this.#folder, job.id, ...parts)
  }

  /** Takes a new job, whose folder is there; when this returns it is on disk. */
  async add(job) {
    await this.save(job)
    await syncFolder(this.#folder)
    this.#jobs.set(job.id, job)
  }

  /** Writes a job's record as it is now. */
  save(job) {
    const text = JSON.stringify(job, null, 2)
    const before = this.#writes.get(job.id) ?? Promise.resolve()
    const write = before.catch(() => {}).then(() => writeWhole(this.pathOf(job, recordName), text))
    this.#writes.set(job.id, write)
    const forget = () => {
      if (this.#writes.get(job.id) === write) this.#writes.delete(job.id)
    }
    write.then(forget, forget)
    return write
  }

  /** Drops jobs that are over, the oldest first, as many as are too many or too old. */
  async prune(now = Date.now()) {
    const over = this.all()
      .filter(isOver)
      .sort((a, b) => a.ended.localeCompare(b.ended))
    const tooMany = over.length - this.#keep.jobs
    const latest = new Date(now - this.#keep.hours * 3_600_000).toISOString()
    for (const job of over.filter((one, i) => i < tooMany || one.ended < latest)) {
      this.#jobs.delete(job.id)
      this.#onDrop(job)
      await this.removeFolder(job.id)
    }
  }
}

/** Files that somebody was killed over. */
async function removeOthers(folder) {
  for (const name of await readdir(folder)) {
    if (!known.has(name)) await rm(path.join(folder, name), { recursive: true })
  }
}

/** @returns undefined where there is none, null where it is damaged: it is written whole, so somebody has been at it */
async function readRecord(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    if (error instanceof SyntaxError) return null
    throw error
  }
}

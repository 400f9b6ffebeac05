import { Failure } from './failure.js'
import { isOver } from './store.js'

/** A job as clients see it. */
export function viewOf({ source, bytes, dataset, ...job }) {
  return { ...job, dataset: { name: source.name ?? 'uploaded', ...dataset } }
}

/** The job that a request names. @throws {Failure} 404 */
export function findJob(store, { params }) {
  const job = store.get(params.id)
  if (job === undefined) throw new Failure(404, 'ERR_NO_JOB', `there is no job ${params.id}`)
  return job
}

/** The same, with a model. @throws {Failure} 404, 409 */
export function findEndedJob(store, request) {
  const job = findJob(store, request)
  if (!isOver(job))
    throw new Failure(409, 'ERR_NOT_OVER', `the job is ${job.state}; its model comes at the end`)
  return job
}

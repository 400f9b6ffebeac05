/** Answers, as the description of the interface has them. */
import { idSchema, states } from '../store.js'

export const jobParams = { type: 'object', properties: { id: idSchema } }

const metrics = {
  type: 'object',
  properties: { loss: { type: 'number' }, accuracy: { type: 'number', nullable: true } },
}

const job = {
  type: 'object',
  additionalProperties: true,
  properties: {
    id: { type: 'string', format: 'uuid' },
    state: { enum: states },
    reason: { type: 'string', description: 'of a job that is finished: finished or maxSeconds' },
    error: {
      type: 'object',
      description: 'of a job that failed',
      properties: { code: { type: 'string' }, message: { type: 'string' } },
    },
    progress: {
      type: 'object',
      properties: { epochs: { type: 'integer' }, steps: { type: 'integer' } },
    },
    metrics: { type: 'object', properties: { train: metrics, validation: metrics } },
    seconds: { type: 'number', description: 'of training' },
  },
}

export const jobAnswer = (description) => ({ description, ...job })

export const jobsAnswer = {
  description: 'how many there are, and the newest of them',
  type: 'object',
  properties: { total: { type: 'integer' }, jobs: { type: 'array', items: job } },
}

const meanings = {
  400: 'what was asked for is wrong; the message says where',
  404: 'there is no such job',
  409: 'the job is not in the state for it',
  413: 'too large',
  429: 'too many at once; try again later',
}

/** Of requests that are refused. */
export function refusals(...statuses) {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: meanings[status],
        type: 'object',
        properties: {
          statusCode: { type: 'integer' },
          code: { type: 'string', description: 'stable, for programs' },
          message: { type: 'string' },
        },
      },
    ]),
  )
}

/** Following a job. */
import { Readable } from 'node:stream'
import { format } from '../events.js'
import { Failure } from '../failure.js'
import { isOver } from '../store.js'
import { findJob, viewOf } from '../view.js'
import { jobParams as params, refusals } from './answers.js'

/** The id of the event that says how a job ended. */
const endId = 'end'

/** @param parts of the service, see service.js */
export async function eventRoutes(app, { settings, store, logs, streams }) {
  app.get(
    '/jobs/:id/events',
    {
      schema: {
        summary: 'What happens to a job, as server-sent events',
        description:
          'start, progress, epoch, checkpoint and, at last, end. With the header Last-Event-ID it goes on after that event; ' +
          '204 when nothing is left to tell.',
        params,
        response: {
          200: {
            description: 'the events',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          204: { description: 'the job is over, and the end was told', type: 'null' },
          ...refusals(400, 404, 429),
        },
      },
    },
    async (request, reply) => {
      const job = findJob(store, request)
      const lastId = request.headers['last-event-id']
      // Browsers ask again and again until they are told this.
      if (lastId === endId && isOver(job)) return reply.code(204).send()
      if (streams.size >= settings.streams) {
        throw new Failure(429, 'ERR_STREAMS', `${settings.streams} event streams are open; try again later`)
      }
      const gone = new AbortController()
      streams.add(reply.raw)
      reply.raw.once('close', () => {
        streams.delete(reply.raw)
        gone.abort()
      })
      reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store')
      // Not in object mode: what a slow client has not taken is counted in bytes, and no more is read until it has.
      return reply.send(Readable.from(follow(job, lastId, gone.signal), { objectMode: false }))
    },
  )

  // Streams are cut off when the service stops, or they would keep it; clients come back with Last-Event-ID.
  app.addHook('preClose', async () => {
    for (const response of streams) response.destroy()
  })

  async function* follow(job, lastId, signal) {
    const log = await logs.reader(job)
    yield* log.read(lastId, signal)
    if (isOver(job)) yield format('end', viewOf(job), endId)
  }
}

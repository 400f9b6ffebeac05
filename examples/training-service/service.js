/** The service: its parts, put together. */
import bearerAuth from '@fastify/bearer-auth'
import multipart from '@fastify/multipart'
import swagger from '@fastify/swagger'
import { setNativeMemoryLimit } from 'espalier'
import Fastify from 'fastify'
import { refuseWebPages } from './access.js'
import { DataSets } from './data.js'
import { answerError, explainInvalid } from './failure.js'
import { lockFolder } from './lock.js'
import { Logs } from './logs.js'
import { makeMetrics } from './metrics.js'
import { Models } from './models.js'
import { openapi } from './openapi.js'
import { Queue } from './queue.js'
import { aboutRoutes } from './routes/about.js'
import { eventRoutes } from './routes/events.js'
import { jobRoutes } from './routes/jobs.js'
import { modelRoutes } from './routes/models.js'
import { Runner } from './runner.js'
import { Store } from './store.js'

const MB = 2 ** 20

/** Bytes of a JSON body, where a route does not say otherwise. */
const bodyLimit = 65_536
/** Milliseconds for a request to arrive, and of silence on a connection. */
const patience = 120_000
/** Connections at once; more are refused. */
const mostConnections = 2000
/** Milliseconds for requests under way when the service stops. */
const lastRequests = 2000
/** Milliseconds between two looks for jobs that are too old to be kept. */
const pruneEvery = 60_000

/**
 * Builds the service and takes up the jobs of a former one. It does not listen yet.
 *
 * @param settings see settings.js
 * @returns the Fastify instance; closing it stops runs at a step and saves them
 */
export async function makeService(settings) {
  const app = Fastify({
    logger: { level: settings.logLevel },
    bodyLimit,
    requestTimeout: patience,
    connectionTimeout: patience,
    // A misspelt setting is an error that names it, and text is no number.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strictTypes: false } },
    schemaErrorFormatter: explainInvalid,
  })
  app.server.maxConnections = mostConnections
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler(answerError)

  const unlock = await lockFolder(settings.folder)
  const parts = await makeParts(settings, app.log)
  app.addHook('preClose', async () => {
    await parts.runner.stop()
    // Requests under way may come to their end; connections that say nothing would keep us for minutes.
    setTimeout(() => app.server.closeAllConnections(), lastRequests).unref()
  })
  const complain = (error) => app.log.error(error, 'old jobs cannot be removed')
  const pruning = setInterval(() => parts.store.prune().catch(complain), pruneEvery).unref()
  app.addHook('onClose', async () => {
    clearInterval(pruning)
    await parts.logs.close()
    await parts.data.close()
    parts.models.close()
    await unlock()
  })
  app.addHook('onResponse', async (_request, { statusCode }) => {
    parts.metrics.responses.inc({ status: statusCode })
  })

  await app.register(multipart)
  await app.register(swagger, openapi(settings))
  app.get('/health', { schema: { summary: 'Whether it is well' } }, async () => ({
    status: 'ok',
    waiting: parts.queue.length,
    running: parts.runner.running,
  }))
  await app.register(async (guarded) => {
    if (settings.token === '') guarded.addHook('onRequest', refuseWebPages)
    else await guarded.register(bearerAuth, tokenOptions(settings.token))
    await guarded.register(jobRoutes, parts)
    await guarded.register(eventRoutes, parts)
    await guarded.register(modelRoutes, parts)
    await guarded.register(aboutRoutes, parts)
  })
  await parts.runner.recover()
  return app
}

async function makeParts(settings, log) {
  const native = Math.floor(settings.nativeMB * MB)
  setNativeMemoryLimit(native)
  // Models that are kept at hand for predictions must not crowd out jobs.
  const budget = { models: native / 4, jobs: native - native / 4 }
  const keep = { jobs: settings.keepJobs, hours: settings.keepHours }
  const store = new Store(settings.folder, keep, log, (job) => models.drop(job.id))
  const models = new Models(store, budget.models)
  await store.open()
  const queue = new Queue(settings.queue)
  const data = new DataSets(settings.dataFolder, Math.floor(settings.dataMB * MB))
  const logs = new Logs(store, log)
  const streams = new Set()
  const metrics = makeMetrics({
    waiting: () => queue.length,
    running: () => runner.running,
    kept: () => store.all().length,
    streams: () => streams.size,
  })
  const runner = new Runner({ settings, budget, store, queue, data, logs, metrics, log })
  return { settings, budget, store, queue, data, models, logs, metrics, streams, runner }
}

function tokenOptions(token) {
  const errorResponse = ({ message }) => ({ statusCode: 401, code: 'ERR_TOKEN', message })
  return { keys: [token], errorResponse, verifyErrorLogLevel: 'debug' }
}

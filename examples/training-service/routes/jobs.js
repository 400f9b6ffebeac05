/** Jobs: posting, looking at, cancelling. */
import { explainInvalid, Failure } from '../failure.js'
import { files } from '../files.js'
import { estimateBytes, settingsSchema } from '../job-settings.js'
import { states } from '../store.js'
import { receiveForm } from '../upload.js'
import { findJob, viewOf } from '../view.js'
import { jobAnswer, jobsAnswer, jobParams as params, refusals } from './answers.js'

/** @param parts of the service, see service.js */
export async function jobRoutes(app, { settings, budget, store, queue, data, runner, logs, metrics }) {
  const schema = settingsSchema(settings.maxSeconds)

  app.post(
    '/jobs',
    {
      schema: {
        summary: 'Train a network',
        description: 'On a data set of ours, named in the settings, or on an uploaded table (CSV or TSV).',
        body: {
          content: {
            'application/json': { schema: { ...schema, required: ['dataset'] } },
            'multipart/form-data': {
              // The body is a stream at this point: what is in it is checked below.
              schema: {
                properties: {
                  settings: { description: 'the settings as JSON' },
                  data: { type: 'string', format: 'binary', description: 'the table' },
                },
              },
            },
          },
        },
        response: { 202: jobAnswer('accepted'), ...refusals(400, 413, 429) },
      },
    },
    async (request, reply) => {
      const release = queue.reserve()
      let id
      try {
        id = await store.makeFolder()
        const job = await accept(id, request)
        await store.add(job)
        await logs.open(job)
        runner.enqueue(job)
        metrics.accepted.inc()
        return reply.code(202).header('location', `/jobs/${id}`).send(viewOf(job))
      } catch (error) {
        if (id !== undefined) await store.removeFolder(id)
        throw error
      } finally {
        release()
      }
    },
  )

  /** Everything that can be wrong with a job is found here, rather than when its turn comes. */
  async function accept(id, request) {
    const upload = request.isMultipart()
    const file = store.pathOf({ id }, files.upload)
    const given = upload ? await receiveForm(request, file, settings.uploadMB) : request.body
    if (upload) check(request, given)
    const { train, test } = upload ? await data.uploaded(file, given) : await data.named(given.dataset, given)
    if (given.task === 'classification' && train.classes < 2) {
      throw new Failure(400, 'ERR_ONE_CLASS', 'all labels are alike; there is nothing to tell apart')
    }
    const bytes = estimateBytes(given, train)
    if (bytes > budget.jobs) {
      const [needed, allowed] = [bytes, budget.jobs].map((size) => Math.ceil(size / 2 ** 20))
      const message = `a network of that size needs about ${needed} MiB; allowed: ${allowed} MiB`
      throw new Failure(400, 'ERR_NETWORK_TOO_LARGE', message)
    }
    return {
      id,
      state: 'queued',
      created: new Date().toISOString(),
      source: upload ? { upload } : { name: given.dataset },
      settings: given,
      dataset: {
        samples: train.samples,
        testSamples: test.samples,
        features: train.features,
        classes: train.classes,
      },
      bytes,
      attempts: 0,
      seconds: 0,
      progress: { epochs: 0, steps: 0 },
    }
  }

  function check(request, given) {
    const validate = request.compileValidationSchema(schema)
    if (!validate(given)) throw explainInvalid(validate.errors, 'settings')
    if (given.dataset !== undefined) {
      throw new Failure(
        400,
        'ERR_FORM',
        'settings name a data set beside an uploaded one; allowed: one of them',
      )
    }
  }

  app.get(
    '/jobs',
    {
      schema: {
        summary: 'Jobs, the newest first',
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            state: { enum: states },
            limit: { type: 'string', pattern: '^[1-9][0-9]{0,2}$', default: '50' },
          },
        },
        response: { 200: jobsAnswer, ...refusals(400) },
      },
    },
    async ({ query }) => {
      const found = store.all().filter((job) => query.state === undefined || job.state === query.state)
      return { total: found.length, jobs: found.reverse().slice(0, Number(query.limit)).map(viewOf) }
    },
  )

  app.get(
    '/jobs/:id',
    { schema: { summary: 'A job', params, response: { 200: jobAnswer('the job'), ...refusals(400, 404) } } },
    async (request) => viewOf(findJob(store, request)),
  )

  app.delete(
    '/jobs/:id',
    {
      schema: {
        summary: 'Cancel a job',
        description:
          'Answers when it has stopped; what it has learnt is kept. A job that is over stays as it is.',
        params,
        response: { 200: jobAnswer('the job as it is now'), ...refusals(400, 404) },
      },
    },
    async (request) => {
      const job = findJob(store, request)
      await runner.cancel(job)
      return viewOf(job)
    },
  )
}

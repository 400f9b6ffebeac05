/** What trained networks are for: taking them away, and asking them. */
import { randomUUID } from 'node:crypto'
import { open, rm, writeFile } from 'node:fs/promises'
import { Failure } from '../failure.js'
import { files } from '../files.js'
import { refusePacked } from '../upload.js'
import { findEndedJob } from '../view.js'
import { jobParams as params, refusals } from './answers.js'

const bodyLimit = 2 ** 20
const mostRows = 10_000

/** @param parts of the service, see service.js */
export async function modelRoutes(app, { store, data, models }) {
  app.get(
    '/jobs/:id/model',
    {
      schema: {
        summary: 'The trained network, as safetensors',
        params,
        response: {
          200: {
            description: 'the file',
            content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
          },
          ...refusals(400, 404, 409),
        },
      },
    },
    async (request, reply) => {
      const job = findEndedJob(store, request)
      const file = await open(store.pathOf(job, files.model)).catch((error) => {
        if (error.code !== 'ENOENT') throw error
        throw new Failure(409, 'ERR_NO_MODEL', 'the job ended before it had a model')
      })
      const { size } = await file.stat()
      reply
        .header('content-type', 'application/octet-stream')
        .header('content-length', size)
        .header('content-disposition', `attachment; filename="${job.id}.safetensors"`)
      return reply.send(file.createReadStream())
    },
  )

  app.addContentTypeParser('text/csv', { parseAs: 'buffer', bodyLimit }, async (_request, body) => body)

  app.post(
    '/jobs/:id/predict',
    {
      bodyLimit,
      schema: {
        summary: 'What a trained network says about samples',
        description:
          'Rows of features, without the label, scaled by the service as in training. A table (CSV) has the columns of the ' +
          'table trained on; as JSON a column of text is one number for each of its texts, in the order of featureNames.',
        params,
        body: {
          content: {
            'application/json': {
              schema: {
                type: 'object',
                additionalProperties: false,
                required: ['rows'],
                properties: {
                  rows: {
                    type: 'array',
                    minItems: 1,
                    maxItems: mostRows,
                    items: { type: 'array', minItems: 1, items: { type: 'number' } },
                  },
                },
              },
            },
            'text/csv': { schema: { description: 'a table with a header where the training data had one' } },
          },
        },
        response: {
          200: {
            description: 'for each row its class and the probability of each class, or its values',
            type: 'object',
            properties: {
              predictions: { type: 'array', items: { type: 'object', additionalProperties: true } },
            },
          },
          ...refusals(400, 404, 409, 413),
        },
      },
    },
    async (request) => {
      const job = findEndedJob(store, request)
      const read = Buffer.isBuffer(request.body) ? readTable : readRows
      return { predictions: await models.predict(job, (meaning) => read(request.body, meaning, job)) }
    },
  )

  function readRows({ rows }, { features }) {
    const wrong = rows.findIndex((row) => row.length !== features)
    if (wrong >= 0) {
      const message = `row ${wrong} (from 0) has ${rows[wrong].length} numbers; the network has ${features} inputs`
      throw new Failure(400, 'ERR_ROW', message)
    }
    const values = new Float32Array(rows.length * features)
    for (const [i, row] of rows.entries()) values.set(row, i * features)
    return { name: 'rows', samples: rows.length, features, values, classes: 0 }
  }

  async function readTable(bytes, { features, featureNames }, job) {
    refusePacked(bytes)
    const file = store.pathOf(job, `${randomUUID()}.csv`)
    try {
      await writeFile(file, bytes)
      const samples = await data.unlabelled(file)
      const names = samples.featureNames
      const wrong = featureNames?.findIndex((name, i) => name !== names[i]) ?? -1
      if (samples.features !== features || wrong >= 0) {
        const message = wrong >= 0 ? `column ${wrong} is "${names[wrong]}", not "${featureNames[wrong]}"` : ''
        throw new Failure(400, 'ERR_COLUMNS', `${samples.features} columns of ${features}; ${message}`)
      }
      return samples
    } finally {
      await rm(file, { force: true })
    }
  }
}

/** Clients that post small jobs, poll, cancel some, take some models away and ask the others for predictions. */
import autocannon from 'autocannon'

/** Shares of jobs. */
const cancelled = 0.15
const downloaded = 0.1
const uploaded = 0.5

const settings = { hidden: [32], sparsity: 0.8, epochs: 5, batchSize: 32 }
const boundary = 'espalier-load'

/**
 * Runs so many clients at once, each with one request under way at any time.
 *
 * @param {{ url: string, clients: number, seconds: number, rate: number, table: string, signal?: AbortSignal }} options rate:
 * requests a second of each client
 * @returns how many answers of each kind there were, ids of the jobs accepted, and what autocannon measured
 */
export async function runClients({ url, clients, seconds, rate, table, signal }) {
  const answers = {}
  const accepted = []
  const count = (what, status) => {
    const key = `${what} ${status}`
    answers[key] = (answers[key] ?? 0) + 1
  }
  const form = formOf(table)
  const setupClient = (client) => client.setRequests([script(form, count, accepted)])
  const run = autocannon({
    url,
    connections: clients,
    duration: seconds,
    connectionRate: rate,
    timeout: 30,
    setupClient,
  })
  signal?.addEventListener('abort', () => run.stop(), { once: true })
  const { errors, timeouts, latency, requests } = await run
  return { answers, accepted, errors, timeouts, latency, requests }
}

/** What a client does, as the one request of autocannon that is made anew each time. */
function script(form, count, accepted) {
  let what = 'post'
  let id = null
  const asks = {
    post: () =>
      Math.random() < uploaded ? form : json('POST', '/jobs', { dataset: 'small.csv', ...settings }),
    rest: () => ({ method: 'GET', path: '/jobs?limit=5' }),
    poll: () => ({ method: 'GET', path: `/jobs/${id}` }),
    cancel: () => ({ method: 'DELETE', path: `/jobs/${id}` }),
    model: () => ({ method: 'GET', path: `/jobs/${id}/model` }),
    predict: () =>
      json('POST', `/jobs/${id}/predict`, {
        rows: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      }),
  }
  /** By what was asked: what comes next. */
  const next = {
    post: (status, body) => {
      if (status !== 202) return 'rest'
      id = JSON.parse(body).id
      accepted.push(id)
      return Math.random() < cancelled ? 'cancel' : 'poll'
    },
    rest: () => 'post',
    poll: (_status, body) => {
      const { state } = JSON.parse(body)
      if (state === 'finished') return Math.random() < downloaded ? 'model' : 'predict'
      return state === 'queued' || state === 'running' ? 'poll' : 'post'
    },
    cancel: () => 'post',
    model: () => 'predict',
    predict: () => 'post',
  }
  return {
    setupRequest: (request) => ({ ...request, headers: {}, body: undefined, ...asks[what]() }),
    onResponse: (status, body) => {
      count(what, status)
      what = next[what](status, body)
    },
  }
}

function json(method, path, body) {
  return { method, path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function formOf(table) {
  const parts = [
    ['name="settings"', JSON.stringify(settings)],
    ['name="data"; filename="table.csv"', table],
  ]
  const body = parts.map(
    ([name, text]) => `--${boundary}\r\ncontent-disposition: form-data; ${name}\r\n\r\n${text}\r\n`,
  )
  return {
    method: 'POST',
    path: '/jobs',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${body.join('')}--${boundary}--\r\n`,
  }
}

/**
 * The service under load: so many clients for a while, then killed in the middle and started again. Prints a table, and
 * JSON on request; ends with code 1 when something is not as it should be.
 *
 *   node load/main.js [--clients 100] [--seconds 60] [--rate 10] [--json <file>]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { runClients } from './clients.js'
import { runFollowers } from './followers.js'
import { startProcess } from './process.js'
import { growth, median, metricsOf, sample } from './samples.js'

const MB = 2 ** 20
/** What resident memory may grow by. */
const allowedGrowth = 16 * MB
const followers = 20
/** Jobs that are kept: in the second part all, so that each can be asked for. */
const keep = { load: '500', kill: '10000' }

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '10' },
    json: { type: 'string' },
  },
})
const [clients, seconds, rate] = [values.clients, values.seconds, values.rate].map(Number)
const table = smallTable()
const root = await mkdtemp(path.join(tmpdir(), 'training-load-'))
try {
  await writeFile(path.join(root, 'small.csv'), table)
  const results = {
    machine: machine(),
    clients,
    seconds,
    rate,
    load: await underLoad(),
    kill: await killed(),
  }
  const wrong = judge(results)
  print(results, wrong)
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ ...results, wrong }, null, 2)}\n`)
  process.exitCode = wrong.length === 0 ? 0 : 1
} finally {
  await rm(root, { recursive: true, force: true })
}

function environment(part) {
  return {
    TRAINING_FOLDER: path.join(root, part),
    TRAINING_DATA_FOLDER: root,
    TRAINING_KEEP_JOBS: keep[part],
    TRAINING_CHECKPOINT_SECONDS: '1',
  }
}

async function underLoad() {
  const service = await startProcess(environment('load'))
  const { url } = service
  const over = new AbortController()
  const looking = sample(service, over.signal)
  const following = runFollowers(url, followers, over.signal)
  const { answers, errors, timeouts, latency, requests } = await runClients({
    url,
    clients,
    seconds,
    rate,
    table,
  })
  over.abort()
  const [samples, streams] = await Promise.all([looking, following])
  const metrics = await drained(url)
  const code = await service.end('SIGTERM')
  return {
    answers,
    errors,
    timeouts,
    streams,
    requestsPerSecond: requests.average,
    latency: { p50: latency.p50, p99: latency.p99, max: latency.max },
    accepted: metrics.training_jobs_accepted_total,
    ended: endedOf(metrics),
    streamsLeft: metrics.training_event_streams,
    memory: {
      first: samples[0].bytes,
      median: median(samples.map(({ bytes }) => bytes)),
      largest: Math.max(...samples.map(({ bytes }) => bytes)),
      growth: growth(samples),
    },
    eventLoop: {
      p99: median(samples.map(({ delay }) => delay)),
      worstSecond: Math.max(...samples.map(({ delay }) => delay)),
      longest: Math.max(...samples.map(({ longest }) => longest)),
    },
    samples,
    exitCode: code,
  }
}

/** Killed in the middle of the same load, and started again in the same folder. */
async function killed() {
  const first = await startProcess(environment('kill'))
  const over = new AbortController()
  const running = runClients({ url: first.url, clients, seconds: 30, rate, table, signal: over.signal })
  await setTimeout(Math.min(5, seconds) * 1000)
  // Clients come in bursts, between which the queue may be empty.
  while ((await metricsOf(first.url)).training_jobs_waiting < 5) await setTimeout(5)
  await first.end('SIGKILL')
  over.abort()
  const { accepted } = await running

  const second = await startProcess(environment('kill'))
  // It is asked for nothing new: what comes to an end there is what it goes on with.
  const ended = endedOf(await drained(second.url))
  const states = {}
  for (const id of accepted) {
    const { state = 'lost' } = await (await fetch(`${second.url}/jobs/${id}`)).json()
    states[state] = (states[state] ?? 0) + 1
  }
  const code = await second.end('SIGTERM')
  const goesOn = Object.values(ended).reduce((sum, count) => sum + count, 0)
  return { accepted: accepted.length, goesOn, states, exitCode: code }
}

/** The metrics when no job waits or runs any more. */
async function drained(url) {
  for (;;) {
    const metrics = await metricsOf(url)
    if (metrics.training_jobs_waiting + metrics.training_jobs_running === 0) return metrics
    await setTimeout(100)
  }
}

function endedOf(metrics) {
  const states = ['finished', 'cancelled', 'failed']
  return Object.fromEntries(
    states.map((state) => [state, metrics[`training_jobs_ended_total{state="${state}"}`] ?? 0]),
  )
}

function judge({ load, kill }) {
  const wrong = []
  const check = (right, message) => right || wrong.push(message)
  const strange = Object.keys(load.answers).filter((key) => !/ (200|202|429)$/.test(key))
  check(strange.length === 0, `answers other than 200, 202 and 429: ${strange.join(', ')}`)
  check(load.errors + load.timeouts === 0, `${load.errors} errors, ${load.timeouts} timeouts`)
  check(load.ended.failed === 0, `${load.ended.failed} jobs failed`)
  const { finished, cancelled } = load.ended
  check(finished + cancelled === load.accepted, `${load.accepted} accepted, ${finished + cancelled} over`)
  check(load.streamsLeft === 0, `${load.streamsLeft} event streams left open`)
  check(load.memory.growth <= allowedGrowth, `memory grew by ${inMB(load.memory.growth)}`)
  check(load.exitCode === 0 && kill.exitCode === 0, 'the service did not end well')
  check(kill.goesOn > 0, 'there was nothing to go on with after the kill')
  const left = Object.keys(kill.states).filter((state) => state !== 'finished' && state !== 'cancelled')
  check(left.length === 0, `after the kill: ${JSON.stringify(kill.states)}`)
  return wrong
}

function print({ machine, load, kill }, wrong) {
  const ms = (value) => `${value.toFixed(1)} ms`
  const rows = [
    ['machine', `${machine.processor}, ${machine.threads} threads, load ${machine.load.toFixed(1)} before`],
    [
      'clients',
      `${clients} for ${seconds} s, and ${followers} that follow events badly (${load.streams} streams)`,
    ],
    [
      'requests',
      `${load.requestsPerSecond.toFixed(0)} a second; p50 ${load.latency.p50} ms, p99 ${load.latency.p99} ms`,
    ],
    ['jobs', `${load.accepted} accepted; ${JSON.stringify(load.ended)}`],
    ['errors', `${load.errors}, timeouts ${load.timeouts}`],
    [
      'resident memory',
      `${inMB(load.memory.median)}, at most ${inMB(load.memory.largest)}, grew by ${inMB(load.memory.growth)}`,
    ],
    [
      'event loop delay',
      `p99 ${ms(load.eventLoop.p99)}, in the worst second ${ms(load.eventLoop.worstSecond)}, longest ${ms(load.eventLoop.longest)}`,
    ],
    [
      'killed',
      `${kill.accepted} accepted, ${kill.goesOn} to go on with; then ${JSON.stringify(kill.states)}`,
    ],
    ...Object.entries(load.answers)
      .sort()
      .map(([key, count]) => [key, count]),
    ['verdict', wrong.length === 0 ? 'as it should be' : wrong.join('; ')],
  ]
  for (const [name, value] of rows) console.log(`${name.padEnd(18)}${value}`)
}

function inMB(bytes) {
  return `${(bytes / MB).toFixed(1)} MiB`
}

function machine() {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: availableParallelism(),
    node: process.version,
    load: loadavg()[0],
  }
}

/** 150 samples of three classes. */
function smallTable() {
  const lines = Array.from({ length: 150 }, (_, i) => `${i % 7},${(i * i) % 11},${(i % 3) * 2},kind ${i % 3}`)
  return ['left,middle,right,kind', ...lines, ''].join('\n')
}

/** What the service is told by its environment: variables TRAINING_*, each with a default and bounds. */
import { availableParallelism } from 'node:os'
import path from 'node:path'

const cores = availableParallelism()

/** Name here: [variable, default, smallest, largest]. */
const numbers = {
  /** 0: any free port. */
  port: ['TRAINING_PORT', 3000, 0, 65_535],
  /** Jobs that train at once. */
  running: ['TRAINING_RUNNING', cores, 1, 256],
  /** Threads of each. */
  threads: ['TRAINING_THREADS', 1, 1, 256],
  /** Jobs that wait; one more is answered 429. */
  queue: ['TRAINING_QUEUE', 20, 1, 10_000],
  /** Jobs that are over and still there; the oldest go first. */
  keepJobs: ['TRAINING_KEEP_JOBS', 200, 1, 10_000],
  /** Hours after its end that a job is dropped. */
  keepHours: ['TRAINING_KEEP_HOURS', 168, 0.01, 100_000],
  /** Seconds that a job may ask for, over all restarts of the service. */
  maxSeconds: ['TRAINING_MAX_SECONDS', 3600, 1, 1_000_000],
  /** Seconds between two checkpoints: so much of a job is lost at most when the service is killed. */
  checkpointSeconds: ['TRAINING_CHECKPOINT_SECONDS', 10, 0.01, 86_400],
  /** MiB of an uploaded file. */
  uploadMB: ['TRAINING_UPLOAD_MB', 16, 0.001, 4096],
  /** MiB of memory that reading one data set may take. */
  dataMB: ['TRAINING_DATA_MB', 256, 0.001, 65_536],
  /** MiB of native memory over all networks. */
  nativeMB: ['TRAINING_NATIVE_MB', 1024, 1, 1_048_576],
  /** Event streams that are open at once; one more is answered 429. */
  streams: ['TRAINING_STREAMS', 200, 1, 100_000],
}

const texts = {
  /** The address to listen on. Any but this machine itself needs a token. */
  host: ['TRAINING_HOST', '127.0.0.1'],
  /** What clients have to send as `authorization: Bearer ...`; empty for none. */
  token: ['TRAINING_TOKEN', ''],
  /** Where jobs are kept. */
  folder: ['TRAINING_FOLDER', 'jobs'],
  /** A folder whose files can be trained on by name; empty for none. */
  dataFolder: ['TRAINING_DATA_FOLDER', ''],
  /** fatal, error, warn, info, debug or silent. */
  logLevel: ['TRAINING_LOG', 'info'],
}

const shortestToken = 16

/**
 * Reads and checks the settings.
 *
 * @param {Record<string, string | undefined>} environment
 * @throws {Error} naming the variable, what was given and what is allowed
 */
export function readSettings(environment) {
  refuseUnknown(environment)
  const settings = {}
  for (const [name, [variable, fallback, low, high]] of Object.entries(numbers)) {
    const value = Number(environment[variable]?.trim() || fallback)
    if (!(value >= low && value <= high)) {
      throw new Error(`${variable} is "${environment[variable]}"; allowed: ${low} to ${high}`)
    }
    settings[name] = value
  }
  for (const [name, [variable, fallback]] of Object.entries(texts)) {
    settings[name] = environment[variable]?.trim() || fallback
  }
  settings.folder = path.resolve(settings.folder)
  settings.dataFolder = settings.dataFolder && path.resolve(settings.dataFolder)
  checkToken(settings)
  return settings
}

/** Whether an address is this machine itself. */
export function isLoopback(host) {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

function refuseUnknown(environment) {
  const known = new Set([...Object.values(numbers), ...Object.values(texts)].map(([variable]) => variable))
  const unknown = Object.keys(environment).find((name) => name.startsWith('TRAINING_') && !known.has(name))
  if (unknown !== undefined) {
    throw new Error(`there is no setting ${unknown}; there are ${[...known].join(', ')}`)
  }
}

function checkToken({ host, token }) {
  if (token === '' && !isLoopback(host)) {
    throw new Error(
      `TRAINING_HOST is "${host}", which others can reach; set TRAINING_TOKEN (at least ${shortestToken} ` +
        'characters), or listen on 127.0.0.1',
    )
  }
  if (token !== '' && !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error('TRAINING_TOKEN has characters that a header cannot carry; allowed: visible ASCII')
  }
  if (token !== '' && token.length < shortestToken) {
    throw new Error(
      `TRAINING_TOKEN has ${token.length} characters; allowed: ${shortestToken} or more, such as ` +
        'the output of "openssl rand -hex 24"',
    )
  }
}

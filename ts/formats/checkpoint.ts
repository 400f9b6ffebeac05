import type { z } from 'zod'
import { EspalierError } from '../errors.js'
import { describeNetwork, type NetworkDescription } from '../model/description.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import type { NativeTensor } from '../native/surface.js'
import { watchedSchema } from '../train/early-stopping.js'
import { type FitSettings, settingsSchema } from '../train/options.js'
import { flag, object, oneOf, parse, real, show, whole } from '../validation.js'
import { checkTensors } from './checkpoint-tensors.js'
import { readSafetensors, writeSafetensors } from './safetensors.js'

/**
 * A network as a safetensors file. The tensors are the network's own, named `layers.<index>.<what>`; the metadata
 * holds, as JSON, the description, the counters (with the seed, the whole state of the random numbers), the
 * optimizer and the settings of the last run with its schedules.
 */

/** Of the file; a reader refuses a version that it does not know. */
const version = '1'
const keys = {
  version: 'espalier.version',
  network: 'espalier.network',
  counters: 'espalier.progress',
  optimizer: 'espalier.optimizer',
  training: 'espalier.training',
} as const

const count = whole({ from: 0 })
const countersSchema = object({
  epoch: count,
  stepInEpoch: count,
  step: count,
  rewirings: count,
  updates: count,
  lossSum: real(),
  correct: count,
  samplesSeen: count,
  best: object({ watched: watchedSchema, epoch: whole({ from: 1 }), value: real() })
    .nullable()
    .default(null),
})
const optimizerSchema = object({
  type: oneOf(['sgd', 'adam', 'adamw']),
  learningRate: real(),
  weightDecay: real(),
  l1: real().default(0),
  momentum: real(),
  nesterov: flag(),
  beta1: real(),
  beta2: real(),
  epsilon: real(),
}).nullable()

/**
 * Saves a snapshot, whole or not at all. Weights that are no longer finite are of no use to anybody and must not
 * replace a good file.
 *
 * @throws ERR_ESPALIER_FILE when the operating system refuses, ERR_ESPALIER_DIVERGED when a number is NaN or Infinity;
 * a file that was there stays as it was
 */
export async function writeCheckpoint(file: string, snapshot: NetworkSnapshot): Promise<void> {
  for (const { name, data } of snapshot.tensors) {
    if (data instanceof Float32Array && !(await isAllFinite(data))) {
      const message = `${file} was not written: the network has diverged (tensor "${name}" is not finite)`
      throw new EspalierError('ERR_ESPALIER_DIVERGED', message)
    }
  }
  await writeSafetensors(file, snapshot.tensors, {
    [keys.version]: version,
    [keys.network]: JSON.stringify(snapshot.description),
    [keys.counters]: JSON.stringify(snapshot.counters),
    [keys.optimizer]: JSON.stringify(snapshot.optimizer),
    [keys.training]: JSON.stringify(snapshot.training),
  })
}

/** Looks in pieces, between which the event loop goes on. */
async function isAllFinite(numbers: Float32Array): Promise<boolean> {
  const piece = 2 ** 20
  for (let begin = 0; begin < numbers.length; begin += piece) {
    if (!numbers.subarray(begin, begin + piece).every((value) => Number.isFinite(value))) return false
    if (begin + piece < numbers.length) await new Promise((resolve) => setImmediate(resolve))
  }
  return true
}

/**
 * Reads a snapshot and checks that its tensors are those of the network that it describes; what is inside them is
 * checked where they are used.
 *
 * @throws ERR_ESPALIER_FORMAT naming the file and what is wrong, ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FILE
 */
export async function readCheckpoint(file: string): Promise<NetworkSnapshot> {
  const { tensors, metadata } = await readSafetensors(file)
  const found = metadata[keys.version]
  if (found === undefined) {
    throw new EspalierError(
      'ERR_ESPALIER_FORMAT',
      `${file}: not an Espalier checkpoint (no metadata "${keys.version}")`,
    )
  }
  if (found !== version) {
    const message = `${file}: checkpoint version is ${show(found)}; this Espalier reads version "${version}"`
    throw new EspalierError('ERR_ESPALIER_FORMAT', message)
  }
  const field = <T>(key: string, schema: z.ZodType<T>): T =>
    parse(`${file}: metadata "${key}"`, schema, readJson(file, metadata, key), 'ERR_ESPALIER_FORMAT')
  const description = readDescription(file, readJson(file, metadata, keys.network))
  checkTensors(file, tensors, description)
  return {
    description,
    // The format allows more types than a network has; checkTensors has refused those.
    tensors: tensors as NativeTensor[],
    counters: field(keys.counters, countersSchema),
    optimizer: field(keys.optimizer, optimizerSchema),
    training: field<FitSettings | null>(keys.training, settingsSchema.nullable()),
  }
}

function readJson(file: string, metadata: Readonly<Record<string, string>>, key: string): unknown {
  const json = metadata[key]
  if (json === undefined)
    throw new EspalierError('ERR_ESPALIER_FORMAT', `${file}: metadata "${key}" is missing`)
  try {
    return JSON.parse(json)
  } catch (cause) {
    const message = `${file}: metadata "${key}" is not JSON: ${(cause as Error).message}`
    throw new EspalierError('ERR_ESPALIER_FORMAT', message, { cause })
  }
}

function readDescription(file: string, value: unknown): NetworkDescription {
  try {
    return describeNetwork(`${file}: metadata "${keys.network}"`, value as NetworkDescription)
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause
    throw new EspalierError('ERR_ESPALIER_FORMAT', cause.message, { cause })
  }
}

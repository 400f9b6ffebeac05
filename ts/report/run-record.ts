/**
 * What is kept of a run: settings, history, the finished network in numbers. It is saved as `run.json` beside the
 * checkpoint, so that the report can be made again, and so that `evaluate`, `predict` and `--resume` know how the
 * data was prepared.
 */
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { EspalierError } from '../errors.js'
import { writeWholeText } from '../formats/atomic-file.js'

const count = z.number().int().nonnegative()
const share = z.number().min(0).max(1)
/** NaN and Infinity have no place in JSON: a loss that is not a number becomes null. */
const measured = z.number().nullable()

const metrics = z.object({ loss: measured, accuracy: share.nullable() })

const epoch = z.object({
  /** 1 for the first. */
  epoch: count,
  /** Steps done since the start of training. */
  step: count,
  train: metrics,
  validation: metrics.nullable(),
  learningRate: z.number(),
  /** Training alone, in seconds. */
  seconds: z.number().nonnegative(),
  samplesPerSecond: z.number().nonnegative(),
  rewireSeconds: z.number().nonnegative(),
})

const rewiring = z.object({
  epoch: count,
  step: count,
  /** Share of a layer's connections that moved. */
  fraction: z.number(),
  /** `layer` is an index in `layers`; `returned` of the `moved` came back to where they were. */
  layers: z.array(
    z.object({
      layer: count,
      moved: count,
      returned: count,
      /** Weights that the layer had then, neurons removed so far, and R_s; absent from records of old. */
      connections: count.optional(),
      removedNeurons: count.optional(),
      exploration: z.number().nullable().optional(),
    }),
  ),
})

const layer = z.object({
  type: z.enum(['sparse', 'dense', 'dropout', 'layerNorm']),
  inputs: count,
  outputs: count,
  connections: count,
  parameters: count,
  sparsity: share,
  block: z.tuple([count, count]).nullable(),
  /** Connections into each of the layer's outputs; null where the layer has no pattern. */
  fanIn: z.array(count).nullable(),
  /** Connections out of each of the layer's inputs; null where the layer has no pattern. */
  fanOut: z.array(count).nullable(),
})

const runRecord = z.object({
  format: z.literal('espalier-run'),
  version: z.literal(1),
  /** What the run is called in the report. */
  name: z.string(),
  /** When the run started, ISO 8601. */
  started: z.string(),
  /** The command line that makes this run again. */
  command: z.string(),
  machine: z.object({
    espalier: z.string(),
    node: z.string(),
    platform: z.string(),
    processor: z.string(),
    instructionSet: z.string(),
    /** 'cpu' or 'cuda'. */
    device: z.string(),
    /** The GPU by its name; null where the processor computed. */
    card: z.string().nullable().default(null),
    /** How far products were allowed to round. */
    precision: z.string().default('float32'),
    threads: count,
  }),
  dataset: z.object({
    /** As given on the command line: a name of the catalogue or a path. */
    source: z.string(),
    /** The label column, where one was given. */
    label: z.string().nullable(),
    /** What the labels were taken for, where that was said. */
    task: z.enum(['classification', 'regression']).nullable(),
    /** The seed of the split. */
    seed: count,
    name: z.string(),
    trainSamples: count,
    testSamples: count,
    features: count,
    classes: count,
    classNames: z.array(z.string()).nullable(),
    /** [height, width] where the features are pixels. */
    imageShape: z.tuple([count, count]).nullable(),
    featureNames: z.array(z.string()).nullable(),
    /** What the indices of a libsvm file count from; null for other data. */
    firstIndex: z
      .union([z.literal(0), z.literal(1)])
      .nullable()
      .default(null),
    /** What the samples were scaled with, fitted on the training part; null where they are as in the file. */
    scaling: z
      .object({
        method: z.enum(['standard', 'standard-global', 'minmax']),
        offsets: z.array(z.number()),
        factors: z.array(z.number()),
      })
      .nullable(),
  }),
  /** What decided the result, by its name on the command line, without the dashes. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  result: z.object({
    reason: z.enum(['finished', 'cancelled', 'maxSteps', 'maxSeconds', 'earlyStopping', 'failed']),
    /** Why a failed run failed; null otherwise. */
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    testAccuracy: share.nullable(),
    testLoss: measured,
    trainAccuracy: share.nullable(),
    trainLoss: measured,
    /** Share of absent weights over the sparse layers. */
    sparsity: share,
    /** Weights that exist, over all layers. */
    connections: count,
    /** All trained numbers. */
    parameters: count,
    epochs: count,
    steps: count,
    /** Wall time of the whole call, data loading included. */
    wallSeconds: z.number().nonnegative(),
    /** Training alone. */
    seconds: z.number().nonnegative(),
    samplesPerSecond: z.number().nonnegative(),
    rewireSeconds: z.number().nonnegative(),
    /** Largest resident size of the process, in MiB. */
    peakMemoryMB: z.number().nonnegative(),
  }),
  history: z.array(epoch),
  rewirings: z.array(rewiring),
  layers: z.array(layer),
})

/**
 * What a run was and what came of it, as `run.json` holds it: plain JSON values only.
 *
 * @interface
 */
export type RunRecord = z.infer<typeof runRecord>
/**
 * An epoch of a run record.
 *
 * @interface
 */
export type EpochRecord = z.infer<typeof epoch>
/**
 * A rewiring of a run record.
 *
 * @interface
 */
export type RewiringRecord = z.infer<typeof rewiring>
/**
 * A layer of a run record.
 *
 * @interface
 */
export type LayerRecord = z.infer<typeof layer>

/** Writes `run.json`; a file that is already there is replaced whole or not at all. Throws ERR_ESPALIER_FILE. */
export async function writeRunRecord(path: string, record: RunRecord): Promise<void> {
  // Lists of numbers go on one line each. Only lists hold a raw line break after a bracket: strings have none.
  const text = JSON.stringify(record, null, 2).replace(/\[\n[\d\s.,-]*\]/g, (list) =>
    list.replace(/\s+/g, ''),
  )
  await writeWholeText(path, `${text}\n`)
}

/**
 * Reads `run.json`. Throws ERR_ESPALIER_NOT_FOUND where there is none, ERR_ESPALIER_FILE where it cannot be read and
 * ERR_ESPALIER_FORMAT where it is not a run record.
 */
export async function readRunRecord(path: string): Promise<RunRecord> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new EspalierError(
      missing ? 'ERR_ESPALIER_NOT_FOUND' : 'ERR_ESPALIER_FILE',
      missing ? `${path}: no such run record` : `${path}: ${(error as Error).message}`,
      { cause: error },
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new EspalierError('ERR_ESPALIER_FORMAT', `${path}: not JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const parsed = runRecord.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const where = issue.path.length > 0 ? issue.path.join('.') : 'the top level'
    throw new EspalierError('ERR_ESPALIER_FORMAT', `${path}: not a run record: ${issue.message} at ${where}`)
  }
  return parsed.data
}

/** What is kept of each run of a comparison, as one JSON file. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { EspalierError } from '../errors.js'
import { fileError, writeWholeText } from '../formats/atomic-file.js'
import type { Machine } from '../native/machine.js'
import type { NativeLayerSummary } from '../native/surface.js'
import type { Metrics } from '../train/events.js'
import type { Job } from './grid.js'
import type { Json } from './preparations/preparation.js'

/** An epoch of a run. */
export interface CompareEpoch {
  /** 1 for the first. */
  readonly epoch: number
  readonly train: Metrics
  readonly test: Metrics
  readonly learningRate: number
  /** Training alone. */
  readonly seconds: number
  readonly samplesPerSecond: number
  readonly rewireSeconds: number
  /** Weights that exist when the epoch is reported, over all layers. */
  readonly connections: number
}

/** A run in numbers. Accuracies are shares of right answers, null for regression; all on the test part unless it says train. */
export interface CompareResult {
  /** After the last epoch. */
  readonly accuracy: number | null
  readonly loss: number
  readonly trainAccuracy: number | null
  readonly trainLoss: number
  /** Of the epoch with the best accuracy (for regression, the least loss) on the test part, the first of equals. */
  readonly best: { readonly epoch: number; readonly accuracy: number | null; readonly loss: number }
  readonly epochs: number
  readonly steps: number
  /** Weights that exist after training, over all layers. */
  readonly connections: number
  /** All trained numbers after training. */
  readonly parameters: number
  /** Share of absent weights over the sparse layers after training; 0 without any. */
  readonly sparsity: number
  /**
   * 2 x 3 x connections x samples over all epochs: a multiplication and an addition for each connection and sample, in the
   * forward product, the input gradient and the weight gradient; biases, activations and rewiring left out, and the input
   * gradient of the first layer, which nobody computes, counted.
   */
  readonly trainingFlops: number
  /** 2 x connections: for one sample. */
  readonly inferenceFlops: number
  /** Training alone, without measuring the test part. */
  readonly seconds: number
  readonly samplesPerSecond: number
  readonly rewireSeconds: number
  /** Spent in preparations. */
  readonly prepareSeconds: number
  /** From the start of the worker to its end, loading included. */
  readonly wallSeconds: number
  /** Largest resident size of the process that did the run, data included. */
  readonly peakMemoryMB: number
  /** Bytes of weights, pattern, optimizer, gradients and workspace after training. */
  readonly networkBytes: number
}

/** What both kinds of run have. */
interface RunBase {
  readonly format: 'espalier-compare-run'
  readonly version: 1
  /** What was to be done: method, data set, sparsity, seed, with every option. */
  readonly job: Job
  /** ISO 8601. */
  readonly started: string
}

/** A run of a comparison that came to its end, as its file holds it. */
export interface FinishedRun extends RunBase {
  readonly status: 'finished'
  readonly data: {
    readonly train: number
    readonly test: number
    readonly features: number
    readonly classes: number
  }
  readonly result: CompareResult
  readonly history: readonly CompareEpoch[]
  readonly layers: readonly NativeLayerSummary[]
  /** What preparations found out, by name. */
  readonly notes: { readonly [name: string]: Json }
  /** What the measures found, by their `type`. */
  readonly measures: { readonly [type: string]: Json }
  readonly machine: Machine
}

/** A run of a comparison that failed, as its file holds it. */
export interface FailedRun extends RunBase {
  readonly status: 'failed'
  readonly error: { readonly code: string; readonly message: string }
}

/** A run of a comparison, as its file holds it. */
export type CompareRun = FinishedRun | FailedRun

const number = z.number()
const metrics = z.looseObject({ loss: number, accuracy: number.nullable() })
const named = z.record(z.string(), z.unknown())
const base = {
  format: z.literal('espalier-compare-run'),
  version: z.literal(1),
  job: z.looseObject({ key: z.string() }),
  started: z.string(),
}

/** What a comparison reads of a run; the rest is kept as it is. */
const runSchema = z.discriminatedUnion('status', [
  z.looseObject({
    ...base,
    status: z.literal('failed'),
    error: z.looseObject({ code: z.string(), message: z.string() }),
  }),
  z.looseObject({
    ...base,
    status: z.literal('finished'),
    data: z.looseObject({ train: number, test: number, features: number, classes: number }),
    result: z.looseObject({
      accuracy: number.nullable(),
      loss: number,
      trainAccuracy: number.nullable(),
      trainLoss: number,
      best: z.looseObject({ epoch: number, accuracy: number.nullable(), loss: number }),
      epochs: number,
      steps: number,
      connections: number,
      parameters: number,
      sparsity: number,
      trainingFlops: number,
      inferenceFlops: number,
      seconds: number,
      samplesPerSecond: number,
      rewireSeconds: number,
      prepareSeconds: number,
      wallSeconds: number,
      peakMemoryMB: number,
      networkBytes: number,
    }),
    history: z.array(
      z.looseObject({
        epoch: number,
        train: metrics,
        test: metrics,
        learningRate: number,
        seconds: number,
        samplesPerSecond: number,
        rewireSeconds: number,
        connections: number,
      }),
    ),
    layers: z.array(z.looseObject({})),
    notes: named,
    measures: named,
    machine: z.looseObject({}),
  }),
])

/** The folder of the runs of a study. */
export class RunFolder {
  constructor(private readonly folder: string) {}

  /** Makes the folder. @throws ERR_ESPALIER_FILE */
  async make(): Promise<void> {
    await mkdir(this.folder, { recursive: true }).catch((cause) => {
      throw fileError('make the folder', this.folder, cause)
    })
  }

  /**
   * The runs that are there, of these jobs. Their names and those of their data sets are those of the jobs.
   *
   * @throws ERR_ESPALIER_FORMAT for a file that is not a run, ERR_ESPALIER_FILE
   */
  async read(jobs: readonly Job[]): Promise<Map<string, CompareRun>> {
    const there = new Set(await readdir(this.folder).catch(() => []))
    const runs = new Map<string, CompareRun>()
    for (const job of jobs) {
      if (!runs.has(job.key) && there.has(`${job.key}.json`)) runs.set(job.key, await this.#readRun(job.key))
    }
    return runs
  }

  /** Writes a run, whole or not at all. @throws ERR_ESPALIER_FILE */
  async write(run: CompareRun): Promise<void> {
    await writeWholeText(this.#path(run.job.key), `${JSON.stringify(run)}\n`)
  }

  #path(key: string): string {
    return path.join(this.folder, `${key}.json`)
  }

  async #readRun(key: string): Promise<CompareRun> {
    const file = this.#path(key)
    const text = await readFile(file, 'utf8').catch((cause) => {
      throw fileError('read', file, cause)
    })
    const run = runSchema.safeParse(parseJson(text))
    if (run.success && run.data.job.key === key) return run.data as unknown as CompareRun
    const place = run.error?.issues[0]?.path.join('.')
    const where = place ? ` ("${place}")` : ''
    throw new EspalierError(
      'ERR_ESPALIER_FORMAT',
      `${file}: not the run of a comparison${where}; remove it, and it is done again`,
    )
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

import { availableParallelism } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Dataset } from '../data/dataset.js'
import { EspalierError } from '../errors.js'
import type { NativeFitSettings } from '../native/surface.js'
import { type RewireRule, ruleSchema, toNativeRewire } from '../rewire/rule.js'
import { staticTopology } from '../rewire/static.js'
import { flag, impossible, instance, MAX_THREADS, object, parse, text, whole } from '../validation.js'
import { type Optimizer, optimizerSchema, sgd, toNativeOptimizer } from './optimizer.js'
import { constant, type LearningRateSchedule, scheduleSchema, toNativeSchedule } from './schedule.js'

export interface CheckpointOptions {
  /** File to write; a file that is there is replaced whole or not at all. */
  path: string
  /** Epochs between two checkpoints, >= 1. Default 1. One more is written at the end, also of a cancelled run. */
  every?: number
}

export interface FitOptions {
  /** Passes over the training data, counted from the start of training, 1 or more. Default 10. */
  epochs?: number
  /** Samples a step. Default 128; the last batch of an epoch may be smaller. */
  batchSize?: number
  /** Default `sgd()`. */
  optimizer?: Optimizer
  /** Default `constant()`. */
  learningRateSchedule?: LearningRateSchedule
  /** How connections move. Default `staticTopology()`: they do not. */
  rewire?: RewireRule
  /** Measured after every epoch. Default: none. */
  validation?: Dataset
  /** A new order of the samples every epoch, a function of seed and epoch. Default true. */
  shuffle?: boolean
  /** Threads that train, 1 to 256. Default: as many as the machine runs at once. */
  threads?: number
  /** Aborting it stops the run after the step that it is in; the run resolves with reason 'cancelled'. */
  signal?: AbortSignal
  /**
   * Go on where training stopped, with the optimizer's state and the order of samples as they were, so that the
   * result equals that of an uninterrupted run bit for bit. Settings that are not given are those of the run that
   * goes on; on a network that was never trained it starts at the beginning. Default false: training starts at
   * epoch 0 with a fresh optimizer.
   */
  resume?: boolean
  /** Save the network while training. Default: not. */
  checkpoint?: CheckpointOptions
}

/** The settings of a run that decide its result; a checkpoint holds them. */
export interface FitSettings {
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: Optimizer
  readonly learningRateSchedule: LearningRateSchedule
  readonly rewire: RewireRule
  readonly shuffle: boolean
}

/** The options of a fit, checked, with defaults. */
export interface FitRequest {
  readonly settings: FitSettings
  readonly threads: number
  readonly resume: boolean
  readonly signal: AbortSignal | undefined
  readonly checkpoint: { readonly path: string; readonly every: number } | undefined
  /** As given; its contents are checked with the network at hand. */
  readonly validation: unknown
}

export const threadsSchema = whole({ from: 1, to: MAX_THREADS }).default(() =>
  Math.min(availableParallelism(), MAX_THREADS),
)

const settingsShape = {
  epochs: whole({ from: 1, to: 1e6 }),
  batchSize: whole({ from: 1, to: 2 ** 24 }),
  optimizer: optimizerSchema,
  learningRateSchedule: scheduleSchema,
  rewire: ruleSchema,
  shuffle: flag(),
}

/** Settings as a checkpoint holds them. */
export const settingsSchema: z.ZodType<FitSettings> = object(settingsShape)

const defaults: FitSettings = {
  epochs: 10,
  batchSize: 128,
  optimizer: sgd(),
  learningRateSchedule: constant(),
  rewire: staticTopology(),
  shuffle: true,
}

const isSignal = (value: unknown): value is AbortSignal => value instanceof AbortSignal

const fitSchema = object(
  {
    ...object(settingsShape).partial().shape,
    validation: z.unknown().optional(),
    threads: threadsSchema,
    signal: instance(isSignal, 'an AbortSignal').optional(),
    resume: flag().default(false),
    checkpoint: object({ path: text('a path'), every: whole({ from: 1 }).default(1) }).optional(),
  },
  {
    learningRate: 'optimizer, for example sgd({ learningRate: 0.1 })',
    momentum: 'optimizer, for example sgd({ momentum: 0.9 })',
    weightDecay: 'optimizer, for example sgd({ weightDecay: 1e-4 })',
    l1: 'optimizer, for example sgd({ l1: 1e-5 })',
    sparsity: 'new Network({ sparsity })',
    topology: 'new Network({ topology })',
    seed: 'new Network({ seed })',
    loss: 'new Network({ loss })',
    device: 'new Network({ device })',
    precision: 'new Network({ precision })',
    denseFallback: 'new Network({ denseFallback })',
  },
)

/**
 * Checks the options of `fit` and fills in the defaults; with `resume`, the settings of the run that goes on.
 *
 * @param last settings of the network's last run, null before the first
 * @param hasSparse whether the network has a layer whose connections can move
 * @throws ERR_ESPALIER_OPTION
 */
export function readFitOptions(
  options: FitOptions,
  last: FitSettings | null,
  hasSparse: boolean,
): FitRequest {
  const { threads, signal, resume, checkpoint, validation, ...given } = parse('fit', fitSchema, options)
  const base = resume && last !== null ? last : defaults
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined)
  const settings: FitSettings = { ...base, ...Object.fromEntries(chosen) }
  if (settings.rewire.type !== 'static' && !hasSparse) {
    throw impossible(
      'fit',
      'rewire',
      settings.rewire.type,
      'the network has no sparse layer; allowed: staticTopology()',
    )
  }
  if (resume && last !== null && !isDeepStrictEqual(settings.optimizer, last.optimizer)) {
    const [given, allowed] = [settings.optimizer, last.optimizer].map((one) => JSON.stringify(one))
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `fit: option "optimizer" is ${given}; a resumed run needs the one that it began with; ` +
        `allowed: absent, ${allowed}, or resume: false`,
    )
  }
  return { settings, threads, resume: resume && last !== null, signal, checkpoint, validation }
}

/** What the addon gets. */
export function toNativeSettings({ settings, threads, resume }: FitRequest): NativeFitSettings {
  return {
    ...settings,
    optimizer: toNativeOptimizer(settings.optimizer),
    learningRateSchedule: toNativeSchedule(settings.learningRateSchedule),
    rewire: toNativeRewire(settings.rewire),
    threads,
    resume,
  }
}

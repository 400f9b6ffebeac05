import { availableParallelism } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Dataset } from '../data/dataset.js'
import { EspalierError } from '../errors.js'
import type { NativeFitSettings, Watched } from '../native/surface.js'
import type { RunObserver } from '../observe/observer.js'
import { type ObserveOptions, observersOf, observeShape } from '../observe/options.js'
import { type RewireRule, ruleSchema, toNativeRewire } from '../rewire/rule.js'
import { staticTopology } from '../rewire/static.js'
import { flag, impossible, instance, MAX_THREADS, object, parse, real, whole } from '../validation.js'
import {
  type CheckpointOptions,
  type CheckpointPlan,
  checkpointSchema,
  toNativeMoments,
} from './checkpoint-options.js'
import { type EarlyStopping, type EarlyStoppingOptions, earlyStoppingSchema } from './early-stopping.js'
import { type Optimizer, optimizerSchema, sgd, toNativeOptimizer } from './optimizer.js'
import { constant, type LearningRateSchedule, scheduleSchema, toNativeSchedule } from './schedule.js'

/** Options of `Network.fit`. */
export interface FitOptions extends ObserveOptions {
  /** Passes over the training data, counted from the start of training, 1 or more. Default 10. */
  epochs?: number
  /** Samples a step, on a GPU 2,097,120 at most. Default 128; the last batch of an epoch may be smaller. */
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
  /**
   * End the run when it gets no better; null: do not. Its state is in every checkpoint, so that a resumed run ends where
   * an uninterrupted one would. Default null.
   */
  earlyStopping?: EarlyStoppingOptions | null
  /** End this run after so many steps, >= 1, with reason 'maxSteps'. Default: not. */
  maxSteps?: number
  /**
   * End this run after the step in which so many seconds are over, > 0, pauses not counted, with reason 'maxSeconds'.
   * Default: not.
   */
  maxSeconds?: number
}

/** The settings of a run that decide its result; a checkpoint holds them. */
export interface FitSettings {
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: Optimizer
  readonly learningRateSchedule: LearningRateSchedule
  readonly rewire: RewireRule
  readonly shuffle: boolean
  readonly earlyStopping: EarlyStopping | null
}

/** The options of a fit, checked, with defaults. */
export interface FitRequest {
  readonly settings: FitSettings
  readonly threads: number
  readonly resume: boolean
  readonly signal: AbortSignal | undefined
  readonly maxSteps: number | undefined
  readonly maxSeconds: number | undefined
  readonly checkpoint: CheckpointPlan | undefined
  /** As given; its contents are checked with the network at hand. */
  readonly validation: unknown
  readonly observers: readonly RunObserver[]
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

const earlyStoppingOption = earlyStoppingSchema.nullable()

/** Settings as a checkpoint holds them. */
export const settingsSchema: z.ZodType<FitSettings> = object({
  ...settingsShape,
  earlyStopping: earlyStoppingOption.default(null),
})

const defaults: FitSettings = {
  epochs: 10,
  batchSize: 128,
  optimizer: sgd(),
  learningRateSchedule: constant(),
  rewire: staticTopology(),
  shuffle: true,
  earlyStopping: null,
}

const isSignal = (value: unknown): value is AbortSignal => value instanceof AbortSignal

const fitSchema = object(
  {
    ...object(settingsShape).partial().shape,
    validation: z.unknown().optional(),
    threads: threadsSchema,
    signal: instance(isSignal, 'an AbortSignal').optional(),
    resume: flag().default(false),
    checkpoint: checkpointSchema.optional(),
    earlyStopping: earlyStoppingOption.optional(),
    maxSteps: whole({ from: 1 }).optional(),
    maxSeconds: real({ above: 0 }).optional(),
    ...observeShape,
  },
  {
    learningRate: 'optimizer, for example sgd({ learningRate: 0.1 })',
    lr: 'optimizer, for example sgd({ learningRate: 0.1 })',
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
  const { logger, observe, ...request } = parse('fit', fitSchema, options)
  const { threads, signal, resume, checkpoint, validation, maxSteps, maxSeconds, ...given } = request
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
  return {
    settings,
    threads,
    resume: resume && last !== null,
    signal,
    maxSteps,
    maxSeconds,
    checkpoint,
    validation,
    observers: observersOf({ logger, observe }),
  }
}

/** What the addon gets. */
export function toNativeSettings(request: FitRequest, watched: Watched): NativeFitSettings {
  const { settings, threads, resume, maxSteps = 0, maxSeconds = 0, checkpoint } = request
  const { earlyStopping, ...others } = settings
  return {
    ...others,
    optimizer: toNativeOptimizer(settings.optimizer),
    learningRateSchedule: toNativeSchedule(settings.learningRateSchedule),
    rewire: toNativeRewire(settings.rewire),
    threads,
    resume,
    watched,
    minimumChange: earlyStopping?.minimumChange ?? 0,
    patience: earlyStopping?.patience ?? 0,
    maxSteps,
    maxSeconds,
    checkpoints: toNativeMoments(checkpoint),
  }
}

/** What a run of training is given and what it tells. */

import type { NativeInitialization } from './description-surface.js'

/** The optimizer that a state belongs to; numbers of other types are of no meaning. */
export interface NativeOptimizer {
  type: 'sgd' | 'adam' | 'adamw'
  learningRate: number
  weightDecay: number
  l1: number
  /** sgd */
  momentum: number
  nesterov: boolean
  /** adam, adamw */
  beta1: number
  beta2: number
  epsilon: number
}

export interface NativeLearningRateSchedule {
  type: 'constant' | 'step' | 'cosine' | 'oneCycle'
  /** step: epochs between two reductions, and the factor of each. */
  every: number
  factor: number
  /** cosine: the learning rate at the end, as a share of the first one. */
  minimum: number
  /** oneCycle: share of the steps that rise; start and end as shares of the peak, which is learningRate. */
  rise: number
  start: number
  end: number
  /** Steps of linear warm-up from 0 that go before any schedule. */
  warmup: number
}

/** When hidden neurons are removed, which, and what becomes of their connections. */
export interface NativeNeurons {
  /** Sum of |weights| into a neuron, out of it, or the product of both. */
  criterion: 'incoming' | 'outgoing' | 'product'
  /** Shares of training, 0..1. */
  from: number
  until: number
  /** Epochs. */
  every: number
  /** 0 <= share < 1: of all neurons, gone after the last removal; or of the living, at each removal. */
  share: number
  shareOfLiving: boolean
  keepsBudget: boolean
}

export interface NativeRewire {
  /** What the device does by itself, or 'host' for every other rule. */
  type: 'static' | 'set' | 'rigl' | 'host'
  /** Of 'host': the rule as the user has it, `type` and all; else null. */
  options: { readonly type: string } | null
  /** Steps between two rewirings; 0 means after every epoch but the last. */
  every: number
  /** Share of training after which nothing moves any more, 0..1. */
  until: number
  /** Share of a layer's connections that move (zeta of SET; alpha of RigL, before its schedule). */
  fraction: number
  /** How the share changes over training. */
  fractionSchedule: 'constant' | 'cosine' | 'exponential' | 'learningRate'
  /** Where 'cosine' ends, 0..fraction. */
  minimumFraction: number
  /** 'set': the smallest of the negatives and of the positives apart; 'magnitude': the smallest of all. */
  prune: 'set' | 'magnitude'
  /** Value of a new connection. */
  initialization: NativeInitialization
  /** No optimizer step on a rewiring step of a rule that looks at the gradient. */
  skipUpdate: boolean
  /** Whether hidden neurons are removed too; null with 'host'. */
  neurons: NativeNeurons | null
  /** Whether the share of positions that ever had a connection is followed. */
  trackExploration: boolean
}

export interface NativeData {
  samples: number
  features: number
  /** samples x features, row-major. Used in place when it lies on a SharedArrayBuffer, else copied. */
  values: Float32Array
  /** One of labels and targets is given where the call needs an answer to compare with. */
  labels: Int32Array | null
  targets: Float32Array | null
}

/** Training samples that `feed` brings. */
export interface NativeStream {
  stream: {
    samplesPerEpoch: number
    /** Batches that lie ready at most. */
    prefetch: number
  }
}

/** Where a run begins. */
export interface NativeStart {
  /** Epochs completed. */
  epoch: number
  /** Samples of the next one that are done. */
  sample: number
}

export interface NativeFitSettings {
  epochs: number
  batchSize: number
  optimizer: NativeOptimizer
  learningRateSchedule: NativeLearningRateSchedule
  rewire: NativeRewire
  /** Rows are drawn in a new order each epoch, keyed by (seed, epoch). */
  shuffle: boolean
  threads: number
  /** Go on from the network's progress instead of starting at epoch 0 with a fresh optimizer. */
  resume: boolean
  /** What tells the best epoch; null: nothing does. */
  watched: Watched | null
  /** By how much an epoch must be better than the best so far. */
  minimumChange: number
  /** Epochs without a better one after which the run ends; 0: any number. */
  patience: number
  /** Steps, and seconds without pauses, after which this run ends; 0: none. */
  maxSteps: number
  maxSeconds: number
  /** When a 'checkpoint' event comes; 0: not by this. */
  checkpoints: NativeCheckpointMoments
}

/** What of an epoch tells whether it was better than those before. */
export type Watched = 'trainLoss' | 'trainAccuracy' | 'validationLoss' | 'validationAccuracy'

export interface NativeCheckpointMoments {
  epochs: number
  steps: number
  seconds: number
  /** After every epoch that is the best so far. */
  best: boolean
}

/** The best epoch so far, by what is watched. */
export interface NativeBestEpoch {
  watched: Watched
  epoch: number
  value: number
}

/** What a network makes of a data set. */
export interface NativeMetrics {
  /** Mean over the samples. */
  loss: number
  /** Share of right answers, 0..1; null for regression. */
  accuracy: number | null
}

/** What a rewiring did to a layer. */
export interface NativeRewireLayer {
  /** Index in `layers` of the description. */
  layer: number
  /** Connections (weights, not blocks) laid; as many were taken away, unless the layer shrank. */
  moved: number
  /** Of these, the ones that came back to where they were. */
  returned: number
  /** Weights that the layer has now; blocks at the border count whole. */
  connections: number
  /** Neurons of the layer that were removed so far. */
  removedNeurons: number
  /** R_s: share of the layer's positions that ever had a connection; null where it is not followed. */
  exploration: number | null
}

export type NativeEvent =
  | {
      /** At most ten a second. */
      type: 'progress'
      epoch: number
      /** The last step, from the start of training, whose loss is known. */
      step: number
      stepsPerEpoch: number
      /** Mean over that step's batch. */
      loss: number
    }
  | {
      type: 'epoch'
      /** 1 for the first. */
      epoch: number
      /** Steps done since the start of training. */
      step: number
      train: NativeMetrics
      validation: NativeMetrics | null
      learningRate: number
      /** Training alone, validation not counted. */
      seconds: number
      samplesPerSecond: number
      /** Share of `seconds` spent in rewiring. */
      rewireSeconds: number
    }
  | { type: 'rewire'; epoch: number; step: number; fraction: number; layers: NativeRewireLayer[] }
  | {
      /** A checkpoint waits for `takeCheckpoint`. */
      type: 'checkpoint'
    }
  | {
      /** `feed` took less than it was given, and takes samples again. */
      type: 'room'
    }
  | {
      /** The last event of every run, whatever happened. */
      type: 'end'
      reason: NativeFitEnd | 'failed'
      /** Set when reason is 'failed'. */
      error: { code: string; message: string } | null
      /** False where the run was refused, and the network is as it was. */
      begun: boolean
      /** How far the network has come, also where the run failed. */
      epochs: number
      steps: number
      rewirings: number
    }

/**
 * How a run came to its end: 'finished' all epochs; 'cancelled' by its signal; 'maxSteps', 'maxSeconds' and
 * 'earlyStopping' by the options of these names.
 */
export type NativeFitEnd = 'finished' | 'cancelled' | 'maxSteps' | 'maxSeconds' | 'earlyStopping'

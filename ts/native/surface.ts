/**
 * The typed surface of the native addon. Only this folder knows that an addon exists; everything here is already
 * validated when it is passed down, and is checked once more by the addon wherever memory safety depends on it.
 */

import type { NativeDescription, NativeInitialization, NativeLayer } from './description-surface.js'
import type { NativeKernels } from './kernels-surface.js'

export type * from './description-surface.js'

/** Kernels of the processor, from the slowest to the fastest of a family; `neon` is that of ARM. */
export type InstructionSet = 'baseline' | 'avx2' | 'avx512' | 'avx512bf16' | 'neon'

/** Where and how a network computes; not a part of its description or its state. */
export interface NativePlacement {
  device: 'auto' | 'cpu' | 'cuda'
  precision: 'float32' | 'tf32' | 'bfloat16'
  denseFallback: boolean
}

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

/** A tensor of the state. The data is a copy that the caller owns. */
export interface NativeTensor {
  /**
   * `layers.<index>.<what>`: crow_indices (int64) and col_indices (int32) of the block CSR pattern, values
   * (connections, or [blocks, r, c]), weight [outputs, inputs] of a dense layer, bias, gain, shift, srelu
   * [4, outputs]; optimizer state has the name of its parameter with `.momentum`, or `.first_moment`,
   * `.second_moment` and `.birth_step` (int32); what rewirings remember is `rewire.<name>`, a list.
   */
  name: string
  shape: readonly number[]
  data: Float32Array | Int32Array | BigInt64Array
}

/** How far training has come. Every random number is a function of the seed and these counters. */
export interface NativeProgress {
  epoch: number
  stepInEpoch: number
  step: number
  /** Rewirings done. */
  rewirings: number
  /** Optimizer steps; a rewiring step that skips its update does not count. */
  updates: number
  /** Sums over the epoch that is under way. */
  lossSum: number
  correct: number
  samplesSeen: number
  /** Null before the first epoch, and where nothing is watched. */
  best: NativeBestEpoch | null
}

/** A copy of the state that a run laid aside. */
export interface NativeCheckpoint {
  newest: boolean
  best: boolean
  state: NativeState
}

export interface NativeState {
  tensors: readonly NativeTensor[]
  progress: NativeProgress
  /** The settings of the run that the optimizer state belongs to; null before the first fit. */
  optimizer: NativeOptimizer | null
}

/** Tensors named, shaped and ordered as in a snapshot, patterns included; the other numbers are gradients. */
export interface NativeGradients {
  /** Of the mean loss over the samples. */
  mean: readonly NativeTensor[]
  /** Magnitudes of the gradients of the batches' mean losses, averaged over the samples. */
  magnitude: readonly NativeTensor[]
}

/** A layer in numbers. */
export interface NativeLayerSummary {
  type: NativeLayer['type']
  inputs: number
  outputs: number
  /** Weights that exist (block padding left out). */
  connections: number
  /** All trained numbers of the layer. */
  parameters: number
  /** 1 - connections / (inputs x outputs); 0 for a dense layer. */
  sparsity: number
  /** Neurons that were removed while training. */
  removedNeurons: number
  /** R_s: share of the positions that ever had a connection; null where it was not followed. */
  exploration: number | null
  block: [number, number] | null
}

/** Bytes that a network holds outside the JavaScript heap, by use. */
export interface NativeMemory {
  /** Weights, biases and other trained numbers. */
  parameters: number
  /** Index arrays of both views. */
  pattern: number
  /** What rewirings remember included. */
  optimizer: number
  gradients: number
  /** Panels of activations and scratch. */
  workspace: number
}

/** How one product of a layer is carried out. */
export interface NativeProductPlan {
  /** Index in `layers` of the description. */
  layer: number
  product: 'forward' | 'inputGradient' | 'weightGradient'
  /** The way that is used. */
  chosen: string
  /** What was timed against each other, in the order of trial; empty where there was nothing to choose from. */
  candidates: { name: string; microseconds: number }[]
}

/** How a device carries out the products of a network. */
export interface NativePlan {
  /** Null before the first call that computes. */
  device: 'cpu' | 'cuda' | null
  /** Empty on a device that has one way for each product, and before the first step. */
  products: NativeProductPlan[]
}

export interface NativeNetwork {
  /** Starts training on its own thread and returns. Throws ERR_ESPALIER_STATE while another call uses the network. */
  fit(
    train: NativeData | NativeStream,
    validation: NativeData | null,
    settings: NativeFitSettings,
    onEvent: (event: NativeEvent) => void,
  ): NativeStart
  /** Gives samples to the run that takes them from a stream; how many it took of them. */
  feed(samples: NativeData): number
  /** Asks a running fit to stop after the step it is in. */
  cancel(): void
  /** Asks it to wait between two steps. */
  pause(): void
  resume(): void
  /** The next checkpoint to write, or null when there is none: then the last one is taken to be written. */
  takeCheckpoint(): NativeCheckpoint | null
  evaluate(data: NativeData, threads: number): Promise<NativeMetrics>
  /** samples x outputs: probabilities for the two cross-entropies, plain outputs for squared error. */
  predict(data: NativeData, threads: number): Promise<Float32Array>
  /** In evaluation mode, batch by batch in the order of the samples; changes nothing. */
  gradients(data: NativeData, batchSize: number, threads: number): Promise<NativeGradients>
  /** A consistent copy of everything, taken between two steps when a fit is running. */
  snapshot(): Promise<NativeState>
  /** Replaces everything by a snapshot of a network with the same description. Checks every invariant first. */
  restore(state: NativeState): void
  summary(): NativeLayerSummary[]
  /** Bytes held now. */
  memory(): NativeMemory
  /** Of the call under way, else of the last one. */
  plan(): NativePlan
  dispose(): void
}

export interface NativeSystem {
  /** Instruction sets that this machine can run, slowest first; the last one is used. */
  instructionSets: InstructionSet[]
  /** The one in use: the best, or what ESPALIER_INSTRUCTION_SET asks for. */
  instructionSet: InstructionSet
  hardwareThreads: number
  compiler: string
}

/** What CUDA finds on this machine. */
export interface NativeCuda {
  /** Whether networks can compute on a GPU here. */
  usable: boolean
  /** Why not, in one line; empty where usable. */
  reason: string
  /** Name of the card; empty where there is none. */
  card: string
  /** Compute capability x 10. */
  capability: number
  /** Of the card. */
  memoryBytes: number
  freeBytes: number
  multiprocessors: number
  /** Versions as CUDA writes them, 13000 for 13.0; 0 where there is none. */
  driver: number
  runtime: number
  /** False for the emulation that tests run on the processor; device 'auto' never takes that. */
  real: boolean
}

/** What the networks of the process hold and compute, in all environments together. */
export interface NativeUsage {
  /** Outside the JavaScript heap: networks, what trains them, and copies of samples. */
  nativeBytes: number
  nativeBytesLimit: number | null
  /** Calls that compute on the processor now, and those that wait for their turn. */
  running: number
  waiting: number
}

export interface NativeAddon {
  system(): NativeSystem
  cuda(): NativeCuda
  usage(): NativeUsage
  /** Of all environments together; null: as much as there is. */
  setMemoryLimit(bytes: number | null): void
  /** What device 'auto' is here, or the device itself. Throws ERR_ESPALIER_DEVICE where 'cuda' is not usable. */
  chooseDevice(device: NativePlacement['device']): 'cpu' | 'cuda'
  /** Throws ERR_ESPALIER_DEVICE where the placement is 'cuda' and that is not usable. */
  Network: new (
    description: NativeDescription,
    placement: NativePlacement,
    /** Lays as few connections as can be, for restore() to replace. Default false. */
    blank?: boolean,
  ) => NativeNetwork
  kernels: NativeKernels
}

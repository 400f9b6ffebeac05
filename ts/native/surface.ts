/**
 * The typed surface of the native addon. Only this folder knows that an addon exists; everything here is already
 * validated when it is passed down, and is checked once more by the addon wherever memory safety depends on it.
 */

import type { NativeDescription, NativeLayer } from './description-surface.js'
import type { NativeKernels } from './kernels-surface.js'
import type {
  NativeBestEpoch,
  NativeData,
  NativeEvent,
  NativeFitSettings,
  NativeMetrics,
  NativeOptimizer,
  NativeStart,
  NativeStream,
} from './run-surface.js'

export type * from './description-surface.js'
export type * from './run-surface.js'

/** Kernels of the processor, from the slowest to the fastest of a family; `neon` is that of ARM. */
export type InstructionSet = 'baseline' | 'avx2' | 'avx512' | 'avx512bf16' | 'amx' | 'neon'

/** Where and how a network computes; not a part of its description or its state. */
export interface NativePlacement {
  device: 'auto' | 'cpu' | 'cuda'
  precision: 'float32' | 'tf32' | 'bfloat16'
  denseFallback: boolean
}

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

import type { NativeOptimizer, NativeProgress, NativeTensor } from '../native/surface.js'
import type { FitSettings } from '../train/options.js'
import { instance, object, parse } from '../validation.js'
import type { NetworkDescription } from './description.js'

/** How far training has come; all random numbers are functions of the network's seed and these counters. */
export interface Progress {
  /** Epochs completed. */
  readonly epochs: number
  /** Steps (batches) done. */
  readonly steps: number
  /** Rewirings done. */
  readonly rewirings: number
}

/** Everything that a network is, between two steps: what a checkpoint file holds. */
export interface NetworkSnapshot {
  readonly description: NetworkDescription
  /**
   * `layers.<index>.<what>`: crow_indices and col_indices of a sparse layer's block CSR pattern, values, weight
   * [outputs, inputs] of a dense layer, bias, gain, shift, srelu [4, outputs]; optimizer state is named after its
   * parameter.
   */
  readonly tensors: readonly NativeTensor[]
  readonly counters: NativeProgress
  /** The optimizer that the state belongs to; null before the first fit. */
  readonly optimizer: NativeOptimizer | null
  /** Settings of the last fit, which `resume` goes on with; null before the first fit. */
  readonly training: FitSettings | null
}

/** By its parts alone: what is inside them is checked where they are used. */
export function isSnapshot(value: unknown): value is NetworkSnapshot {
  const { description, tensors, counters } = (value ?? {}) as Partial<Record<string, unknown>>
  const isObject = (part: unknown) => typeof part === 'object' && part !== null
  return isObject(description) && Array.isArray(tensors) && isObject(counters)
}

const snapshotSchema = object({
  snapshot: instance(isSnapshot, 'a snapshot, as network.snapshot() or readCheckpoint(file) gives'),
})

/** @throws ERR_ESPALIER_OPTION for what is no snapshot */
export function checkSnapshot(call: string, snapshot: unknown): void {
  parse(call, snapshotSchema, { snapshot })
}

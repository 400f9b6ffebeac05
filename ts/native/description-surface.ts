/** What a network is made of, as the addon takes it. */

export interface NativeActivation {
  type: 'linear' | 'relu' | 'leakyRelu' | 'allRelu' | 'srelu' | 'tanh' | 'sigmoid' | 'gelu' | 'silu'
  /** Slope of leakyRelu and allRelu; ignored by the others. */
  alpha: number
}

export interface NativeInitialization {
  type: 'he' | 'xavier' | 'normal' | 'zeros'
  /** Standard deviation of 'normal'; ignored by the others. */
  deviation: number
}

export type NativeLayer =
  | {
      type: 'sparse'
      outputs: number
      activation: NativeActivation
      bias: boolean
      /** [r, c]: r consecutive outputs x c consecutive inputs. */
      block: readonly [number, number]
      /** Own sparsity of this layer, or null where the topology decides. */
      sparsity: number | null
      initialization: NativeInitialization
      /** Share of weights that each training step leaves out. */
      dropConnect: number
      /** Whether it is multiplied as a dense matrix. */
      masked: boolean
    }
  | {
      type: 'dense'
      outputs: number
      activation: NativeActivation
      bias: boolean
      initialization: NativeInitialization
      dropConnect: number
    }
  | { type: 'dropout'; rate: number }
  | { type: 'layerNorm'; epsilon: number }

/** How the weights are shared among the sparse layers; as a topology, at positions drawn at random. */
export interface NativeDensity {
  type: 'uniform' | 'erdosRenyi' | 'epsilon'
  /** Of 'epsilon'; ignored by the others. */
  epsilon: number
}

export type NativeProfileFamily =
  | 'linear'
  | 'power'
  | 'exponential'
  | 'logarithmic'
  | 'logistic'
  | 'gaussian'
  | 'sinusoidal'
  | 'quadratic'
  | 'lognormal'
  | 'powerLaw'

export type NativeTopology =
  | NativeDensity
  | {
      type: 'profile'
      density: NativeDensity
      family: NativeProfileFamily
      /** One for each sparse layer. */
      cv: Float64Array
      placement: 'golden' | 'random'
    }
  | {
      type: 'fanIn'
      /** For each sparse layer the blocks of each block row. */
      counts: readonly Int32Array[]
      placement: 'golden' | 'random'
    }
  | { type: 'constantFanIn'; density: NativeDensity }
  | {
      type: 'spatiallyCoupled'
      density: NativeDensity
      /** One for each input of the network. */
      importance: Float64Array
      blocks: number
      window: number
    }
  /** Patterns of each sparse layer; null in the description of a checkpoint, whose own they have become. */
  | { type: 'saved'; patterns: readonly NativePattern[] | null }

/** The connections of a sparse layer, as block CSR. */
export interface NativePattern {
  rowOffsets: BigInt64Array
  columnIndices: Int32Array
}

export interface NativeDescription {
  inputs: number
  layers: readonly NativeLayer[]
  /** Share of absent weights over all sparse layers, 0 <= sparsity < 1. */
  sparsity: number
  topology: NativeTopology
  loss: 'softmaxCrossEntropy' | 'binaryCrossEntropy' | 'squaredError'
  /** A safe integer >= 0. */
  seed: number
}

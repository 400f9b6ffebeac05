import type { ScalingMethod } from '../data/loaded.js'
import type { Task } from '../data/samples.js'
import type { Loss } from '../model/description.js'
import type { Layer } from '../model/layers.js'
import type { PlacementOptions } from '../model/placement.js'
import type { Topology } from '../topology/topology.js'
import type { FitSettings } from '../train/options.js'
import type { Measure } from './measures/registry.js'
import type { Preparation } from './preparations/registry.js'

/**
 * A grid of methods x data sets x sparsities x seeds. Plain JSON: what stands in a study file is what `compare` takes, and
 * the frozen objects of the builders (`rigl()`, `sgd()`, `erdosRenyi()`) are such JSON.
 */
export interface Study {
  /** What the study is called; also its folder, `runs/<name>`, unless another is given. */
  readonly name: string
  readonly methods: readonly Method[]
  /** Names of the catalogue or paths of files, or objects that say more. */
  readonly datasets: readonly (string | StudyDataset)[]
  /**
   * Share of absent weights of each cell of the grid, 0 <= sparsity < 1. A method whose sparsity is not to be chosen (no
   * sparse layer, topology epsilon, `network.sparsity` of its own) runs once per data set and seed and is compared at each.
   * Default: [0.9].
   */
  readonly sparsities?: readonly number[]
  /** Seeds of the networks, or how many: n stands for 1 .. n. Default: 5. */
  readonly seeds?: number | readonly number[]
  /**
   * `fixed`: every run sees the same division into training and test part (and the same generated data), by the `seed` of the
   * data set. `perSeed`: the division follows the seed of the run, so that its chance is part of the spread. Default: 'fixed'.
   */
  readonly split?: 'fixed' | 'perSeed'
  /**
   * What the methods have in common; a method's own keys win. What it says of connections (topology, sparsity, block) is not
   * for a method without a sparse layer. Default: {}.
   */
  readonly network?: StudyNetwork
  /** What the methods have in common; a method's own keys win; `rewire` is not for one without a sparse layer. Default: {}. */
  readonly fit?: StudyFit
  /** The method that the others are compared with. Default: the first. */
  readonly baseline?: string
  /**
   * Which epoch of a run counts: the last, or the one that is best on the test part, which flatters every method a little.
   * Default: 'last'.
   */
  readonly epoch?: 'last' | 'best'
  /** What is measured beside accuracy, loss, size, time and memory. Default: none. */
  readonly measures?: readonly Measure[]
}

/** A data set of a study: what `resolveDataset` takes, and how the samples are changed after that. */
export interface StudyDataset {
  /** A name of the catalogue, or the path of a file. */
  readonly name: string
  /** What it is called in tables; two entries of a study need two names. Default: `name`. */
  readonly as?: string
  /** Only so many training samples, drawn by `seed`, shares of the classes kept. Default: all. */
  readonly train?: number
  /** Only so many test samples. Default: all. */
  readonly test?: number
  /** Of generators, of the division into parts, and of the samples drawn. Default: 0. Not beside split 'perSeed'. */
  readonly seed?: number
  /** Fitted on the training samples that are used. Default: 'standard'. */
  readonly scaling?: ScalingMethod
  /** Shuffles the features by the fixed permutation of this seed, so that neighbours mean nothing. Default: not. */
  readonly permutation?: number
  /** Of files: the label column. */
  readonly label?: string | number
  /** Of files: a file of test samples. */
  readonly testFile?: string
  /** Of files and sets without a test part: its share. */
  readonly testFraction?: number
  /** Of files: what the labels are. */
  readonly task?: Task
  /** Of files: bytes that reading them may take in memory. Default: ten times the size of the file and 256 MiB. */
  readonly maxBytes?: number
}

/** A row of the comparison. */
export interface Method {
  readonly name: string
  readonly network?: StudyNetwork
  readonly fit?: StudyFit
  /**
   * What is done in the worker, in this order, before the network is made: each step may change the network, the settings
   * of the fit and the data, for example train a while to find a topology. Default: nothing.
   */
  readonly prepare?: readonly Preparation[]
}

/**
 * A network whose inputs, outputs, sparsity and seed follow from data set and grid: either `layers`, or the short form
 * `hidden`, `layer`, `dropout`, `layerNorm`, `output`. A method's `layers` replace a shared short form, and the other way
 * round; `layer` and `output` are merged key by key.
 */
export interface StudyNetwork extends PlacementOptions {
  /** Widths of the hidden layers. */
  readonly hidden?: readonly number[]
  /** What each hidden layer is beside its width: `{ type: 'sparse' | 'dense', activation, block, ... }`. Default: sparse, 'relu'. */
  readonly layer?: LayerPart
  /** Rate of the dropout after each hidden layer. Default: 0, none. */
  readonly dropout?: number
  /** A layer normalisation after each hidden layer, before its dropout. Default: false. */
  readonly layerNorm?: boolean
  /** What the last layer is beside its width, which is the number of classes. Default: dense, 'linear'. */
  readonly output?: LayerPart
  /** All layers, as the builders make them; `outputs: 'classes'` stands for the number of classes (or targets). */
  readonly layers?: readonly (Layer | StudyLayer)[]
  /** Fixes the sparsity of this method, whatever the grid says. */
  readonly sparsity?: number
  readonly topology?: Topology
  readonly loss?: Loss
}

/** Options of a sparse or dense layer without its width. */
export interface LayerPart {
  readonly type?: 'sparse' | 'dense'
  readonly [option: string]: unknown
}

/** A layer with only some of its options, or with the width of the data. */
export interface StudyLayer {
  readonly type: string
  readonly outputs?: number | 'classes'
  readonly [option: string]: unknown
}

/** Settings of a fit, as `fit` takes them; the validation set is the test part. */
export type StudyFit = Partial<FitSettings>

import { z } from 'zod'
import type { NativeDescription } from '../native/surface.js'
import { erdosRenyi, type Topology, topologySchema } from '../topology/topology.js'
import { freeze, impossible, MAX_WIDTH, object, oneOf, parse, real, whole } from '../validation.js'
import { type Layer, layerSchema } from './layers.js'
import { type Placement, type PlacementOptions, placementShape } from './placement.js'

/**
 * What training makes small, as a mean over the samples: `softmaxCrossEntropy` for classes (labels);
 * `binaryCrossEntropy` for independent yes or no outputs (targets in 0..1, or labels); `squaredError` for regression
 * (targets, or labels). Where those two get labels, one output learns 0 or 1, and several learn 1 for the label's
 * output and 0 for the others.
 */
export type Loss = 'softmaxCrossEntropy' | 'binaryCrossEntropy' | 'squaredError'

/** What a network is made of, and where it computes. */
export interface NetworkOptions extends PlacementOptions {
  /** Features of a sample, 1 to 16777216. */
  inputs: number
  /** From the first to the last, which must be sparse or dense. */
  layers: readonly Layer[]
  /** Share of absent weights over all sparse layers, 0 <= sparsity < 1. Default 0.9; topology epsilon decides it itself. */
  sparsity?: number
  /** Where connections are laid. Default `erdosRenyi()`. */
  topology?: Topology
  /** What training makes small. Default 'softmaxCrossEntropy'. */
  loss?: Loss
  /** Every random number follows from it: pattern, weights, order of samples, dropout. Default 0. */
  seed?: number
}

/** A network without its weights: everything that a checkpoint needs to build it again. */
export interface NetworkDescription {
  readonly inputs: number
  readonly layers: readonly Layer[]
  /** 0 where the topology is epsilon, which decides it, and where no layer is sparse. */
  readonly sparsity: number
  readonly topology: Topology
  readonly loss: Loss
  readonly seed: number
}

/** The accepted options with `sparsity` and `topology` still absent where they were not given. */
const descriptionShape = {
  inputs: whole({ from: 1, to: MAX_WIDTH }),
  layers: z
    .array(layerSchema, { error: 'a list of layers' })
    .min(1, { error: 'a list of one or more layers' }),
  sparsity: real({ from: 0, below: 1 }).optional(),
  topology: topologySchema.optional(),
  loss: oneOf(['softmaxCrossEntropy', 'binaryCrossEntropy', 'squaredError']).default('softmaxCrossEntropy'),
  seed: whole({ from: 0 }).default(0),
}
const descriptionSchema = object(descriptionShape)
const networkSchema = object({ ...descriptionShape, ...placementShape })

/**
 * Checks the options of a network, each by itself and together.
 *
 * @param call begins every message
 * @throws ERR_ESPALIER_OPTION
 */
export function readNetworkOptions(
  call: string,
  options: NetworkOptions,
): { description: NetworkDescription; placement: Placement } {
  const { device, precision, denseFallback, ...given } = parse(call, networkSchema, options)
  return { description: describe(call, given), placement: freeze({ device, precision, denseFallback }) }
}

/** The same without the options that say where it computes, which no description has. @throws ERR_ESPALIER_OPTION */
export function describeNetwork(
  call: string,
  options: Omit<NetworkOptions, keyof PlacementOptions>,
): NetworkDescription {
  return describe(call, parse(call, descriptionSchema, options))
}

function describe(call: string, given: z.infer<typeof descriptionSchema>): NetworkDescription {
  checkLastLayer(call, given.layers, given.loss)
  const topology = given.topology ?? erdosRenyi()
  return freeze({
    inputs: given.inputs,
    layers: given.layers,
    sparsity: readSparsity(call, given.layers, topology, given.sparsity),
    topology,
    loss: given.loss,
    seed: given.seed,
  })
}

/** What the addon gets. */
export function toNativeDescription(description: NetworkDescription): NativeDescription {
  const { topology } = description
  return { ...description, topology: { epsilon: 0, ...topology } }
}

/** Outputs of the network: those of its last layer. */
export function outputsOf(description: NetworkDescription): number {
  const last = description.layers[description.layers.length - 1]!
  return last.type === 'sparse' || last.type === 'dense' ? last.outputs : description.inputs
}

/** The sparsity asked for, where there is something for it to decide; an option without effect is an error. */
function readSparsity(call: string, layers: readonly Layer[], topology: Topology, given?: number): number {
  const none = !layers.some((layer) => layer.type === 'sparse')
  if (none && topology.type !== 'erdosRenyi') {
    throw impossible(
      call,
      'topology',
      topology.type,
      'no layer is sparse; allowed: absent, or a layer made by sparse(...)',
    )
  }
  if (!none && topology.type !== 'epsilon') return given ?? 0.9
  if (given !== undefined && given !== 0) {
    const why = none
      ? 'no layer is sparse; allowed: absent, or a layer made by sparse(...)'
      : 'topology epsilon decides it; allowed: absent'
    throw impossible(call, 'sparsity', given, why)
  }
  return 0
}

function checkLastLayer(call: string, layers: readonly Layer[], loss: Loss): void {
  const index = layers.length - 1
  const last = layers[index]!
  const name = `layers[${index}]`
  if (last.type !== 'sparse' && last.type !== 'dense') {
    throw impossible(
      call,
      `${name}.type`,
      last.type,
      'the last layer gives the outputs; allowed: sparse, dense',
    )
  }
  if (loss !== 'squaredError' && last.activation.type !== 'linear') {
    throw impossible(
      call,
      `${name}.activation`,
      last.activation.type,
      `loss ${loss} brings its own; allowed for the last layer: linear`,
    )
  }
  if (loss === 'softmaxCrossEntropy' && last.outputs < 2) {
    throw impossible(
      call,
      `${name}.outputs`,
      last.outputs,
      'softmaxCrossEntropy needs an output for each class; allowed: outputs >= 2, or loss binaryCrossEntropy',
    )
  }
}

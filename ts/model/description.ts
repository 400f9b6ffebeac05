import { z } from 'zod'
import type { NativeDescription } from '../native/surface.js'
import { erdosRenyi } from '../topology/erdos-renyi.js'
import { decidesSparsity, type Topology, toNativeTopology, topologySchema } from '../topology/topology.js'
import { freeze, impossible, MAX_WIDTH, object, oneOf, parse, real, whole } from '../validation.js'
import { type Layer, layerSchema } from './layers.js'
import type { LayerPattern } from './pattern.js'
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
  /**
   * Share of absent weights over all sparse layers, 0 <= sparsity < 1. Default 0.9; the topologies epsilon, fanIn and
   * saved decide it themselves.
   */
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
  /** 0 where the topology decides it by itself (epsilon, fanIn, saved), and where no layer is sparse. */
  readonly sparsity: number
  readonly topology: Topology
  readonly loss: Loss
  readonly seed: number
}

export const lossSchema = oneOf(['softmaxCrossEntropy', 'binaryCrossEntropy', 'squaredError']).default(
  'softmaxCrossEntropy',
)

/** The accepted options with `sparsity` and `topology` still absent where they were not given. */
const descriptionShape = {
  inputs: whole({ from: 1, to: MAX_WIDTH }),
  layers: z
    .array(layerSchema, { error: 'a list of layers' })
    .min(1, { error: 'a list of one or more layers' }),
  sparsity: real({ from: 0, below: 1 }).optional(),
  topology: topologySchema.optional(),
  loss: lossSchema,
  seed: whole({ from: 0 }).default(0),
}
const descriptionSchema = object(descriptionShape)
const networkSchema = object({ ...descriptionShape, ...placementShape })

/** The options of a network, checked. */
export interface NetworkRequest {
  readonly description: NetworkDescription
  readonly placement: Placement
  /** The connections of each sparse layer, of a saved topology; else null. */
  readonly patterns: readonly LayerPattern[] | null
}

/**
 * Checks the options of a network, each by itself and together.
 *
 * @param call begins every message
 * @param lays false where no connection is to be laid, for which a saved topology needs its patterns
 * @throws ERR_ESPALIER_OPTION
 */
export function readNetworkOptions(call: string, options: NetworkOptions, lays = true): NetworkRequest {
  const { device, precision, denseFallback, ...given } = parse(call, networkSchema, options)
  const { topology } = given
  const patterns = (topology?.type === 'saved' && topology.patterns) || null
  if (lays && topology?.type === 'saved' && patterns === null) {
    const advice =
      'a description does not hold its connections; allowed: savedTopology(await network.snapshot()) ' +
      'for them, or Network.restore(await network.snapshot(), { device }) for the weights as well'
    throw impossible(call, 'topology', 'saved', advice)
  }
  return {
    description: describe(call, given),
    placement: freeze({ device, precision, denseFallback }),
    patterns,
  }
}

/** The same without the options that say where it computes, which no description has. @throws ERR_ESPALIER_OPTION */
export function describeNetwork(
  call: string,
  options: Omit<NetworkOptions, keyof PlacementOptions>,
): NetworkDescription {
  return describe(call, parse(call, descriptionSchema, options))
}

function describe(call: string, given: z.infer<typeof descriptionSchema>): NetworkDescription {
  const { inputs, layers, loss, seed } = given
  checkLastLayer(call, layers, loss)
  const topology = given.topology ?? erdosRenyi()
  const sparsity = readSparsity(call, layers, topology, given.sparsity)
  checkTopology(call, topology, inputs, layers)
  return freeze({
    inputs,
    layers,
    sparsity,
    // A checkpoint holds the patterns as tensors.
    topology: topology.type === 'saved' ? { type: topology.type } : topology,
    loss,
    seed,
  })
}

/** What the addon gets. @param patterns of a saved topology */
export function toNativeDescription(
  description: NetworkDescription,
  patterns: readonly LayerPattern[] | null,
): NativeDescription {
  const { topology } = description
  const sparseLayers = description.layers.filter(({ type }) => type === 'sparse').length
  return {
    ...description,
    topology:
      topology.type === 'saved'
        ? { type: topology.type, patterns }
        : toNativeTopology(topology, sparseLayers),
  }
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
  if (!none && !decidesSparsity(topology)) return given ?? 0.9
  if (given !== undefined && given !== 0) {
    const why = none
      ? 'no layer is sparse; allowed: absent, or a layer made by sparse(...)'
      : `topology ${topology.type} decides it; allowed: absent`
    throw impossible(call, 'sparsity', given, why)
  }
  return 0
}

/** A topology beside the layers that it is for. */
function checkTopology(call: string, topology: Topology, inputs: number, layers: readonly Layer[]): void {
  const sparse = layers.flatMap((layer, index) => (layer.type === 'sparse' ? [{ layer, index }] : []))
  const onePerLayer = (name: string, list: readonly unknown[]): void => {
    if (list.length === sparse.length) return
    const reason = `it has ${list.length} for ${sparse.length} sparse layers; allowed: one for each`
    throw impossible(call, `topology.${name}`, list, reason)
  }
  if (topology.type === 'fanIn' || topology.type === 'saved') {
    const own = sparse.find(({ layer }) => layer.sparsity !== null)
    if (own !== undefined) {
      const reason = `topology ${topology.type} decides it; allowed: absent`
      throw impossible(call, `layers[${own.index}].sparsity`, own.layer.sparsity, reason)
    }
  }
  if (topology.type === 'profile' && typeof topology.cv !== 'number') onePerLayer('cv', topology.cv)
  if (topology.type === 'fanIn') onePerLayer('counts', topology.counts)
  if (topology.type === 'spatiallyCoupled' && topology.importance.length !== inputs) {
    const reason = `it has ${topology.importance.length} numbers; allowed: one for each of the ${inputs} inputs`
    throw impossible(call, 'topology.importance', topology.importance, reason)
  }
  if (topology.type !== 'saved' || topology.patterns === undefined) return
  onePerLayer('patterns', topology.patterns)
  for (const [i, { layer, index }] of sparse.entries()) {
    const needed = sizeText({ ...layer, inputs: inputsOf(inputs, layers, index) })
    const given = sizeText(topology.patterns[i]!)
    if (given === needed) continue
    throw impossible(call, `topology.patterns[${i}]`, given, `layers[${index}] is ${needed}`)
  }
}

const sizeText = ({ outputs, inputs, block }: Pick<LayerPattern, 'outputs' | 'inputs' | 'block'>): string =>
  `${outputs} x ${inputs} in blocks of ${block.join(' x ')}`

/** Inputs of a layer: the outputs of the last one before it that has any, else those of the network. */
function inputsOf(inputs: number, layers: readonly Layer[], index: number): number {
  const before = layers.slice(0, index).findLast((layer) => 'outputs' in layer)
  return before !== undefined && 'outputs' in before ? before.outputs : inputs
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

import {
  deadNeurons,
  fitLognormal,
  inputConnections,
  type Layer,
  type LognormalFit,
  layerPatterns,
  type MemoryUse,
  type Network,
  type NetworkDescription,
  type RankedInput,
  type RewireRule,
  rankInputs,
  type Spread,
  spread,
} from '../../index.js'
import { layerRecords } from '../run-recorder.js'
import { compareWithFile, compareWithStart, type LayerComparison } from './comparison.js'
import type { Concentration } from './concentration.js'

/** What `espalier inspect` says of a network. */
export interface Inspection {
  checkpoint: string
  inputs: number
  loss: NetworkDescription['loss']
  /** As the builder made it. */
  topology: NetworkDescription['topology']
  /** How connections moved in the last training; null before any. */
  rewire: RewireRule | null
  seed: number
  epochs: number
  steps: number
  rewirings: number
  /** The file of the other network; null without one. */
  against: string | null
  /** What the gradients were measured on; null without a data set. */
  gradients: { dataset: string; samples: number; batchSize: number } | null
  layers: InspectedLayer[]
  /** Bytes. */
  memory: MemoryUse
  topInputs: RankedInput[]
}

/** How many connections the neurons of a layer have. */
export interface Fan extends Spread {
  lognormal: LognormalFit | null
}

export interface InspectedLayer {
  type: string
  /** As its builder made it. */
  description: Layer
  inputs: number
  outputs: number
  block: readonly [number, number] | null
  sparsity: number
  connections: number
  parameters: number
  /** Over the outputs; null for a layer without a pattern. */
  fanIn: Fan | null
  /** Over the inputs. */
  fanOut: Fan | null
  /** Hidden neurons without connections in or out; null for the outputs of the network. */
  dead: number | null
  /** Of these, the ones that a rule took away. */
  removedNeurons: number
  /** R_s: share of the positions that ever had a connection; null where training did not follow it. */
  exploration: number | null
  /** Beside the network as it was laid; null for a layer without a pattern. */
  sinceStart: LayerComparison | null
  /** Beside the other network. */
  against: LayerComparison | null
  /** Mean |gradient| of the connections into the hubs over that of all; null without a data set or without hubs. */
  concentration: number | null
}

interface InspectionRequest {
  /** How many inputs to list. */
  inputs: number
  inputNames: readonly string[] | null
  against: string | null
  gradients: Concentration | null
}

/** Takes a network's measure. */
export async function inspectNetwork(
  checkpoint: string,
  network: Network,
  request: InspectionRequest,
): Promise<Inspection> {
  const { description, progress } = network
  const records = await layerRecords(network)
  const snapshot = await network.snapshot()
  const patterns = layerPatterns(snapshot)
  const { training } = snapshot
  const dead = deadNeurons(records)
  const summary = network.summary()
  const sinceStart = await compareWithStart(patterns, network)
  const against = request.against === null ? [] : await compareWithFile(patterns, request.against)
  const layers = records.map((layer, index) => ({
    ...layer,
    description: description.layers[index]!,
    fanIn: fanOf(layer.fanIn),
    fanOut: fanOf(layer.fanOut),
    dead: dead[index]!,
    removedNeurons: summary[index]!.removedNeurons,
    exploration: summary[index]!.exploration,
    sinceStart: sinceStart[index]!,
    against: against[index] ?? null,
    concentration: request.gradients?.layers.get(index) ?? null,
  }))
  return {
    checkpoint,
    inputs: description.inputs,
    loss: description.loss,
    topology: description.topology,
    rewire: training?.rewire ?? null,
    seed: description.seed,
    ...progress,
    against: request.against,
    gradients: measuredOn(request.gradients),
    layers,
    memory: network.memory(),
    topInputs: rankInputs(inputConnections(records) ?? [], request.inputNames).slice(0, request.inputs),
  }
}

const fanOf = (counts: readonly number[] | null): Fan | null =>
  counts && { ...spread(counts), lognormal: fitLognormal(counts) }

function measuredOn(gradients: Concentration | null): Inspection['gradients'] {
  if (gradients === null) return null
  const { dataset, samples, batchSize } = gradients
  return { dataset, samples, batchSize }
}

/** The networks of a study: inputs, outputs, sparsity and seed are filled in for each run. */
import { z } from 'zod'
import type { Dataset } from '../data/dataset.js'
import type { Loss, NetworkOptions } from '../model/description.js'
import {
  type DenseLayer,
  dropout,
  type Layer,
  layerNorm,
  layerSchema,
  type SparseLayer,
} from '../model/layers.js'
import { type Placement, placementShape } from '../model/placement.js'
import { erdosRenyi } from '../topology/erdos-renyi.js'
import { decidesSparsity, type Topology, topologySchema } from '../topology/topology.js'
import { flag, impossible, MAX_WIDTH, object, oneOf, parse, real, whole } from '../validation.js'
import type { LayerPart, StudyLayer, StudyNetwork } from './study.js'

/** A layer with every default; the width `'classes'` is that of the data. */
export type PlannedLayer = Layer | WidthOfData<SparseLayer> | WidthOfData<DenseLayer>
type WidthOfData<L> = Omit<L, 'outputs'> & { readonly outputs: 'classes' }

/** A network of a study with every default but those that the network itself decides. */
export interface PlannedNetwork extends Placement {
  readonly layers: readonly PlannedLayer[]
  readonly sparsity?: number
  readonly topology?: Topology
  readonly loss?: Loss
}

const part = z.record(z.string(), z.unknown(), { error: 'an object with the options of a layer' })

export const studyNetworkSchema = object(
  {
    hidden: z.array(whole({ from: 1, to: MAX_WIDTH }), { error: 'a list of widths' }).optional(),
    layer: part.optional(),
    dropout: real({ from: 0, below: 1 }).optional(),
    layerNorm: flag().optional(),
    output: part.optional(),
    layers: z
      .array(part, { error: 'a list of layers' })
      .min(1, { error: 'a list of one or more layers' })
      .optional(),
    sparsity: real({ from: 0, below: 1 }).optional(),
    topology: topologySchema.optional(),
    loss: oneOf(['softmaxCrossEntropy', 'binaryCrossEntropy', 'squaredError']).optional(),
    device: placementShape.device.removeDefault().optional(),
    precision: placementShape.precision.removeDefault().optional(),
    denseFallback: placementShape.denseFallback.removeDefault().optional(),
  },
  {
    activation: 'layer, for example "layer": { "activation": "relu" }',
    block: 'layer, for example "layer": { "block": "4x1" }',
    seed: 'seeds of the study',
    inputs: 'the data set, which decides it',
  },
)
type Checked = z.output<typeof studyNetworkSchema>

const shortForm = ['hidden', 'layer', 'dropout', 'layerNorm', 'output'] as const

/** The shared network with a method's own keys over it. */
export function mergeNetworks(shared: Checked, own: Checked): Checked {
  const base = { ...shared }
  if (own.layers !== undefined) for (const key of shortForm) delete base[key]
  else if (shortForm.some((key) => own[key] !== undefined)) delete base.layers
  const merged = { ...base, ...own }
  for (const key of ['layer', 'output'] as const) {
    if (base[key] !== undefined && own[key] !== undefined) merged[key] = mergeParts(base[key], own[key])
  }
  return merged
}

/** A dense layer takes of a shared sparse one what both kinds have, and the other way round. */
function mergeParts(shared: LayerPart, own: LayerPart): Record<string, unknown> {
  if (own.type === undefined || own.type === (shared.type ?? 'sparse')) return { ...shared, ...own }
  const both = Object.entries(shared).filter(([key]) =>
    ['activation', 'bias', 'initialization', 'dropConnect'].includes(key),
  )
  return { ...Object.fromEntries(both), ...own }
}

/**
 * Writes the short form out and fills in the defaults of each layer.
 *
 * @param call begins every message
 * @throws ERR_ESPALIER_OPTION
 */
export function planNetwork(call: string, given: Checked): PlannedNetwork {
  const {
    layers,
    sparsity,
    topology,
    loss,
    device = 'auto',
    precision = 'float32',
    denseFallback = false,
  } = given
  return {
    layers: layers === undefined ? writeOut(call, given) : allLayers(call, given, layers),
    ...(sparsity === undefined ? {} : { sparsity }),
    ...(topology === undefined ? {} : { topology }),
    ...(loss === undefined ? {} : { loss }),
    device,
    precision,
    denseFallback,
  }
}

function allLayers(call: string, given: Checked, layers: NonNullable<Checked['layers']>): PlannedLayer[] {
  const extra = shortForm.find((key) => given[key] !== undefined)
  if (extra !== undefined) {
    throw impossible(
      call,
      `network.${extra}`,
      given[extra],
      'the network has "layers"; allowed: one of the two',
    )
  }
  return layers.map((layer, index) =>
    readLayer(`${call}: network.layers[${index}]`, layer as unknown as StudyLayer),
  )
}

function writeOut(
  call: string,
  { hidden, layer, dropout: rate, layerNorm: norm, output }: Checked,
): PlannedLayer[] {
  if (hidden === undefined) {
    throw impossible(
      call,
      'network',
      {},
      'it has neither "hidden" nor "layers"; allowed: for example "hidden": [1024, 1024]',
    )
  }
  for (const [name, part] of [
    ['layer', layer],
    ['output', output],
  ] as const) {
    if (part?.outputs === undefined) continue
    throw impossible(
      call,
      `network.${name}.outputs`,
      part.outputs,
      'hidden and the data set decide it; allowed: absent',
    )
  }
  return [
    ...hidden.flatMap((outputs) => [
      readLayer(`${call}: network.layer`, { type: 'sparse', activation: 'relu', ...layer, outputs }),
      ...(norm ? [layerNorm()] : []),
      ...(rate ? [dropout(rate)] : []),
    ]),
    readLayer(`${call}: network.output`, {
      type: 'dense',
      activation: 'linear',
      ...output,
      outputs: 'classes',
    }),
  ]
}

/** One layer with its defaults. */
function readLayer(call: string, layer: StudyLayer): PlannedLayer {
  const width = layer.outputs === 'classes'
  const read = parse(call, layerSchema, width ? { ...layer, outputs: 2 } : layer)
  return width ? ({ ...read, outputs: 'classes' } as PlannedLayer) : read
}

export const hasSparse = ({ layers }: PlannedNetwork): boolean => layers.some(({ type }) => type === 'sparse')

/** Whether the sparsity of a network is open, so that the grid decides it. */
export function isFree({ layers, sparsity, topology }: PlannedNetwork): boolean {
  const open = layers.some((layer) => layer.type === 'sparse' && layer.sparsity === null)
  return open && sparsity === undefined && !decidesSparsity(topology ?? erdosRenyi())
}

/** A network without sparse layers, without what the study says of sparse ones; what the method says itself stays, to be refused. */
export function withoutSparseKeys(network: PlannedNetwork, own: StudyNetwork | Checked): PlannedNetwork {
  const { topology, sparsity, ...rest } = network
  return {
    ...rest,
    ...(own.topology === undefined || topology === undefined ? {} : { topology }),
    ...(own.sparsity === undefined || sparsity === undefined ? {} : { sparsity }),
  }
}

/** The options of the network of one run. */
export function networkFor(
  planned: PlannedNetwork,
  train: Dataset,
  sparsity: number | null,
  seed: number,
): NetworkOptions {
  const outputs = train.classes > 0 ? train.classes : (train.outputs ?? 1)
  const loss = planned.loss ?? (train.classes > 0 ? 'softmaxCrossEntropy' : 'squaredError')
  return {
    ...planned,
    inputs: train.features,
    layers: planned.layers.map((layer) =>
      'outputs' in layer && layer.outputs === 'classes' ? ({ ...layer, outputs } as Layer) : (layer as Layer),
    ),
    loss,
    ...(sparsity === null ? {} : { sparsity }),
    seed,
  }
}

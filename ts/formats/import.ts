import { z } from 'zod'
import { type Activation, type ActivationOption, activationSchema } from '../model/activation.js'
import { type Block, type BlockOption, blockSchema } from '../model/block.js'
import { describeNetwork, type Loss, lossSchema } from '../model/description.js'
import { dense, sparse } from '../model/layers.js'
import { Network } from '../model/network.js'
import { type PlacementOptions, placementShape } from '../model/placement.js'
import type { NativeTensor } from '../native/surface.js'
import { impossible, object, oneOf, parse, readPath, real, text, whole } from '../validation.js'
import { findLayers } from './import-names.js'
import { ImportedTensors } from './import-tensors.js'
import { type Matrix, presentBlocks, prune } from './prune.js'

/** A layer of weights in a file of another library. */
export interface ImportLayer {
  /** Name of its weights, two-dimensional. */
  weight: string
  /** Name of its bias, one number a neuron. Default: it has none. */
  bias?: string
  /** Name of a mask of the weights' shape: where it is 0 no connection is, elsewhere one, whatever its weight. */
  mask?: string
  /** What follows the weights; srelu, whose parameters no such file has, is not allowed. Default: that of the options. */
  activation?: ActivationOption
  /**
   * Default 'sparse' for a layer with a mask or a weight that is 0, and, where a sparsity is given, for every layer but
   * the last; else 'dense'.
   */
  type?: 'sparse' | 'dense'
  /** Share of absent weights of this layer alone, with prune 'layer'. Default: that of the options. */
  sparsity?: number
}

export interface ImportOptions extends PlacementOptions {
  /**
   * The layers from the first to the last. Default: every `<name>.weight` of two dimensions with its `<name>.bias`, in
   * the order of their names (fc2 before fc10), of a file that holds nothing else.
   */
  layers?: readonly ImportLayer[]
  /** 'outputsFirst': weights are [outputs, inputs], as PyTorch has them; 'inputsFirst': as Keras. Default 'outputsFirst'. */
  layout?: 'outputsFirst' | 'inputsFirst'
  /**
   * Share of absent weights, 0 <= sparsity < 1: of the weights (or blocks) of a sparse layer, exactly
   * size - floor(sparsity x size) stay, those of largest magnitude (blocks: of largest norm; of equals the first).
   * Default: what is not 0 stays.
   */
  sparsity?: number
  /** Whether the magnitudes of each layer are compared apart, or those of all sparse layers together. Default 'layer'. */
  prune?: 'layer' | 'network'
  /** Shape in which connections of sparse layers exist. Default '1x1'. */
  block?: BlockOption
  /** What follows the weights of every layer but the last, which is linear. Default 'relu'. */
  activation?: ActivationOption
  /** Default 'softmaxCrossEntropy'. */
  loss?: Loss
  /** Of the random numbers of later training. Default 0. */
  seed?: number
  /** Bytes that reading a .npz file may take in memory, as of `readNpz`. */
  maxBytes?: number
}

const share = real({ from: 0, below: 1 }).optional()

const layerSchema = object({
  weight: text('the name of an array'),
  bias: text('the name of an array').optional(),
  mask: text('the name of an array').optional(),
  activation: activationSchema.optional(),
  type: oneOf(['sparse', 'dense']).optional(),
  sparsity: share,
})
const layerList = 'a list of one or more layers'

const importSchema = object({
  layers: z.array(layerSchema, { error: layerList }).min(1, { error: layerList }).optional(),
  layout: oneOf(['outputsFirst', 'inputsFirst']).default('outputsFirst'),
  sparsity: share,
  prune: oneOf(['layer', 'network']).default('layer'),
  block: blockSchema.prefault([1, 1]),
  activation: activationSchema.prefault('relu'),
  loss: lossSchema,
  seed: whole({ from: 0 }).default(0),
  maxBytes: whole({ from: 0 }).optional(),
  ...placementShape,
})

type Request = ReturnType<typeof readOptions>

/** A layer with its numbers. */
interface Loaded {
  readonly name: string
  readonly matrix: Matrix
  readonly bias: Float32Array | null
  readonly activation: Activation
  readonly sparse: boolean
  readonly sparsity: number | undefined
}

/**
 * Makes a network of the weights in a file that another library wrote, safetensors or NumPy's .npz: a dense network,
 * pruned by magnitude, or a masked one, whose zeros become absent connections.
 *
 * ```ts
 * await importNetwork('mlp.safetensors', { sparsity: 0.9 })
 * await importNetwork('mlp.npz', { layers: [{ weight: 'w1', bias: 'b1' }, { weight: 'w2' }], layout: 'inputsFirst' })
 * ```
 *
 * @returns a network that `predict`s what the pruned layers compute, and that `fit` trains on
 * @throws ERR_ESPALIER_FORMAT, ERR_ESPALIER_NOT_FOUND (also for a name that the file has not), ERR_ESPALIER_FILE;
 * ERR_ESPALIER_DATA for arrays that are no layers of one network, or hold NaN or Infinity; ERR_ESPALIER_OPTION, also
 * where a sparse layer would have no connection, or more than it has weights that are not 0; ERR_ESPALIER_DEVICE
 */
export async function importNetwork(path: string, options: ImportOptions = {}): Promise<Network> {
  const file = readPath('importNetwork', path)
  const request = readOptions(options)
  const tensors = await ImportedTensors.read(file, request)
  const named = request.layers ?? findLayers(tensors)
  const loaded = named.map((layer, index) => load(tensors, request, layer, index, named.length))
  tensors.checkWidths(loaded)
  if (!loaded.some((layer) => layer.sparse)) refuseSparseOptions(request)
  const kept = chooseBlocks(request, loaded)
  const layers = loaded.map(({ matrix, activation, bias, sparse: isSparse }) =>
    isSparse
      ? sparse(matrix.outputs, { activation, bias: bias !== null, block: request.block })
      : dense(matrix.outputs, { activation, bias: bias !== null }),
  )
  const { loss, seed, device, precision, denseFallback } = request
  const description = describeNetwork('importNetwork', {
    inputs: loaded[0]!.matrix.inputs,
    layers,
    loss,
    seed,
    ...(kept.some((blocks) => blocks !== null) && { topology: { type: 'saved' } }),
  })
  const counters = { epoch: 0, stepInEpoch: 0, step: 0, rewirings: 0, updates: 0 }
  return Network.restore(
    {
      description,
      tensors: loaded.flatMap((layer, index) => toTensors(layer, index, kept[index]!, request.block)),
      counters: { ...counters, lossSum: 0, correct: 0, samplesSeen: 0, best: null },
      optimizer: null,
      training: null,
    },
    { device, precision, denseFallback },
  )
}

function readOptions(options: ImportOptions) {
  const request = parse('importNetwork', importSchema, options)
  const activations = [request, ...(request.layers ?? [])].map(({ activation }) => activation?.type)
  if (activations.includes('srelu')) {
    throw impossible('importNetwork', 'activation', 'srelu', 'its trained parameters are in no such file')
  }
  for (const [index, { sparsity, type }] of (request.layers ?? []).entries()) {
    const name = `layers[${index}].sparsity`
    if (sparsity === undefined) continue
    if (request.prune === 'network') {
      throw impossible(
        'importNetwork',
        name,
        sparsity,
        'prune is "network", which decides it; allowed: absent',
      )
    }
    if (type === 'dense')
      throw impossible('importNetwork', name, sparsity, 'the layer is dense; allowed: absent')
  }
  if (request.prune === 'network' && request.sparsity === undefined) {
    const reason = 'there is no sparsity, so nothing is pruned; allowed: absent, or with a sparsity'
    throw impossible('importNetwork', 'prune', request.prune, reason)
  }
  return request
}

/** Of a network without a sparse layer: an option without effect is a mistake. */
function refuseSparseOptions({ sparsity, block }: Request): void {
  const reason = 'no layer is sparse; allowed: absent, or a layer of type "sparse" in "layers"'
  if (sparsity !== undefined) throw impossible('importNetwork', 'sparsity', sparsity, reason)
  const shape = block.join('x')
  if (shape !== '1x1') throw impossible('importNetwork', 'block', shape, reason)
}

function load(
  tensors: ImportedTensors,
  request: Request,
  { weight, bias, mask, activation, type, sparsity: own }: NonNullable<Request['layers']>[number],
  index: number,
  count: number,
): Loaded {
  const matrix = tensors.matrix(weight, mask, request.layout)
  const last = index + 1 === count
  const sparsity = own ?? (last && type === undefined ? undefined : request.sparsity)
  const hasHoles = matrix.present.some((present) => present === 0)
  return {
    name: weight,
    matrix,
    bias: bias === undefined ? null : tensors.vector(bias, matrix.outputs, weight),
    activation: activation ?? (last ? { type: 'linear', alpha: 0 } : request.activation),
    sparse: type === undefined ? sparsity !== undefined || hasHoles : type === 'sparse',
    sparsity,
  }
}

/** For each layer which of its blocks exist; null for a dense one. */
function chooseBlocks(request: Request, loaded: readonly Loaded[]): (Uint8Array | null)[] {
  const { block, sparsity } = request
  if (request.prune === 'network' && sparsity !== undefined) {
    const sparse = loaded.filter((layer) => layer.sparse)
    const chosen = prune(sparse, block, sparsity)
    return loaded.map((layer) => (layer.sparse ? chosen[sparse.indexOf(layer)]! : null))
  }
  return loaded.map((layer) => {
    if (!layer.sparse) return null
    if (layer.sparsity === undefined) return presentBlocks(layer, block)
    return prune([layer], block, layer.sparsity)[0]!
  })
}

/** A layer as a snapshot has it. */
function toTensors(
  { matrix, bias }: Loaded,
  index: number,
  kept: Uint8Array | null,
  [height, width]: Block,
): NativeTensor[] {
  const { inputs, outputs, values } = matrix
  const named = (what: string, shape: readonly number[], data: NativeTensor['data']) => ({
    name: `layers.${index}.${what}`,
    shape,
    data,
  })
  const biases = bias === null ? [] : [named('bias', [outputs], bias)]
  if (kept === null) return [named('weight', [outputs, inputs], values), ...biases]
  const blockColumns = Math.ceil(inputs / width)
  const blockRows = Math.ceil(outputs / height)
  const count = kept.reduce((sum, one) => sum + one, 0)
  const offsets = new BigInt64Array(blockRows + 1)
  const columns = new Int32Array(count)
  const weights = new Float32Array(count * height * width)
  let entry = 0
  for (let row = 0; row < blockRows; row++) {
    for (let column = 0; column < blockColumns; column++) {
      if (kept[row * blockColumns + column] === 0) continue
      columns[entry] = column
      // Places beyond the layer stay 0.
      for (let i = 0; i < height && row * height + i < outputs; i++) {
        const from = (row * height + i) * inputs + column * width
        const end = Math.min(from + width, (row * height + i + 1) * inputs)
        weights.set(values.subarray(from, end), (entry * height + i) * width)
      }
      entry++
    }
    offsets[row + 1] = BigInt(entry)
  }
  const shape = height * width === 1 ? [count] : [count, height, width]
  return [
    named('crow_indices', [blockRows + 1], offsets),
    named('col_indices', [count], columns),
    named('values', shape, weights),
    ...biases,
  ]
}

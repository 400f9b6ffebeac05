import { EspalierError } from '../errors.js'
import type { NetworkDescription } from '../model/description.js'
import type { DenseLayer, Layer, SparseLayer } from '../model/layers.js'
import { addon, fromNative } from '../native/loader.js'
import type { NativeTopology } from '../native/surface.js'
import type { Tensor } from './safetensors.js'

type Find = (index: number, what: string, type: TensorType) => Tensor
type TensorType = Float32ArrayConstructor | Int32ArrayConstructor | BigInt64ArrayConstructor

const stateSuffix = /\.(momentum|first_moment|second_moment|birth_step)$/

/**
 * Checks that a file holds the tensors of the network that it describes, before that network is built: a few bytes
 * of metadata must not make anybody allocate more than the file is long.
 *
 * @throws ERR_ESPALIER_FORMAT naming the file and the tensor
 */
export function checkTensors(
  file: string,
  tensors: readonly Tensor[],
  description: NetworkDescription,
): void {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const parameters = new Set<string>()
  const find: Find = (index, what, type) => {
    const name = `layers.${index}.${what}`
    const tensor = byName.get(name)
    if (tensor === undefined) throw wrong(file, `tensor "${name}" is missing`)
    if (!(tensor.data instanceof type)) throw wrong(file, `tensor "${name}" is not ${type.name}`)
    parameters.add(name)
    return tensor
  }
  const sizes: [outputs: number, inputs: number, held: number][] = []
  let width = description.inputs
  for (const [index, layer] of description.layers.entries()) {
    if (layer.type === 'sparse') sizes.push([layer.outputs, width, checkSparse(file, find, index, layer)])
    if (layer.type === 'dense') expectShape(file, find(index, 'weight', Float32Array), [layer.outputs, width])
    if (layer.type === 'layerNorm') {
      for (const what of ['gain', 'shift']) expectShape(file, find(index, what, Float32Array), [width])
    }
    if ('outputs' in layer) {
      checkNeurons(file, find, index, layer)
      width = layer.outputs
    }
  }
  checkConnections(file, description, sizes)
  for (const { name, data } of tensors) {
    const own = parameters.has(name) || parameters.has(name.replace(stateSuffix, ''))
    if (!own) throw wrong(file, `tensor "${name}" belongs to no layer of the network`)
    if (data instanceof Float64Array || data instanceof Uint8Array) {
      throw wrong(
        file,
        `tensor "${name}" is ${data.constructor.name}; allowed: Float32Array, Int32Array, BigInt64Array`,
      )
    }
  }
}

/** @returns the number of values */
function checkSparse(file: string, find: Find, index: number, { outputs, block }: SparseLayer): number {
  const offsets = find(index, 'crow_indices', BigInt64Array)
  const columns = find(index, 'col_indices', Int32Array)
  const values = find(index, 'values', Float32Array)
  const [rows, width] = block
  expectShape(file, offsets, [Math.ceil(outputs / rows) + 1])
  expectShape(file, columns, [columns.data.length])
  expectShape(file, values, [columns.data.length, ...(rows * width === 1 ? [] : block)])
  return values.data.length
}

function checkNeurons(file: string, find: Find, index: number, layer: SparseLayer | DenseLayer): void {
  if (layer.bias) expectShape(file, find(index, 'bias', Float32Array), [layer.outputs])
  if (layer.activation.type === 'srelu')
    expectShape(file, find(index, 'srelu', Float32Array), [4, layer.outputs])
}

/** Building the network lays as many connections as the description asks for: the file must hold as many. */
function checkConnections(
  file: string,
  { layers, sparsity, topology }: NetworkDescription,
  sizes: [outputs: number, inputs: number, held: number][],
): void {
  const sparse = layers.filter((layer: Layer) => layer.type === 'sparse')
  const shared = sparse.flatMap((layer, i) => (layer.sparsity === null ? [sizes[i]!] : []))
  const asked =
    shared.length === 0 ? [] : connectionsAsked(file, shared, sparsity, { epsilon: 0, ...topology })
  for (const [i, layer] of sparse.entries()) {
    const [outputs, inputs, held] = sizes[i]!
    const expected = layer.sparsity === null ? asked.shift()! : outputs * inputs * (1 - layer.sparsity)
    // Blocks are whole, and those at the border hold padding: one block either way.
    if (expected > held + layer.block[0] * layer.block[1]) {
      throw wrong(
        file,
        `sparse layer ${i} of ${outputs} x ${inputs} holds ${held} values; its sparsity asks for ${expected}`,
      )
    }
  }
}

function connectionsAsked(
  file: string,
  sizes: [outputs: number, inputs: number, held: number][],
  sparsity: number,
  topology: NativeTopology,
): number[] {
  try {
    const pairs = sizes.map(([outputs, inputs]) => [inputs, outputs] as const)
    return addon().kernels.layerConnections(pairs, sparsity, topology)
  } catch (cause) {
    throw wrong(file, fromNative(cause).message)
  }
}

function expectShape(file: string, { name, shape }: Tensor, expected: readonly number[]): void {
  if (shape.length === expected.length && shape.every((side, i) => side === expected[i])) return
  throw wrong(
    file,
    `tensor "${name}" has shape [${shape.join(', ')}]; the network needs [${expected.join(', ')}]`,
  )
}

function wrong(file: string, what: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_FORMAT', `${file}: ${what}`)
}

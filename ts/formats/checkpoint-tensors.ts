import { EspalierError } from '../errors.js'
import type { NetworkDescription } from '../model/description.js'
import type { DenseLayer, SparseLayer } from '../model/layers.js'
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
  let width = description.inputs
  for (const [index, layer] of description.layers.entries()) {
    if (layer.type === 'sparse') checkSparse(file, find, index, layer)
    if (layer.type === 'dense') expectShape(file, find(index, 'weight', Float32Array), [layer.outputs, width])
    if (layer.type === 'layerNorm') {
      for (const what of ['gain', 'shift']) expectShape(file, find(index, what, Float32Array), [width])
    }
    if ('outputs' in layer) {
      checkNeurons(file, find, index, layer)
      width = layer.outputs
    }
  }
  for (const { name, data } of tensors) {
    const own =
      parameters.has(name) || parameters.has(name.replace(stateSuffix, '')) || isMemory(name, description)
    if (!own) throw wrong(file, `tensor "${name}" belongs to no layer of the network`)
    if (data instanceof Float64Array || data instanceof Uint8Array) {
      throw wrong(
        file,
        `tensor "${name}" is ${data.constructor.name}; allowed: Float32Array, Int32Array, BigInt64Array`,
      )
    }
  }
}

/** As many connections as the file holds: rewiring may have left fewer than the description lays. */
function checkSparse(file: string, find: Find, index: number, { outputs, block }: SparseLayer): void {
  const offsets = find(index, 'crow_indices', BigInt64Array)
  const columns = find(index, 'col_indices', Int32Array)
  const values = find(index, 'values', Float32Array)
  const [rows, width] = block
  expectShape(file, offsets, [Math.ceil(outputs / rows) + 1])
  expectShape(file, columns, [columns.data.length])
  expectShape(file, values, [columns.data.length, ...(rows * width === 1 ? [] : block)])
}

/** What rewirings remember of a layer: lists by any name, which they check themselves. */
function isMemory(name: string, { layers }: NetworkDescription): boolean {
  const index = /^layers\.(\d+)\.rewire\.[\w.]+$/.exec(name)?.[1]
  return index !== undefined && Number(index) < layers.length
}

function checkNeurons(file: string, find: Find, index: number, layer: SparseLayer | DenseLayer): void {
  if (layer.bias) expectShape(file, find(index, 'bias', Float32Array), [layer.outputs])
  if (layer.activation.type === 'srelu')
    expectShape(file, find(index, 'srelu', Float32Array), [4, layer.outputs])
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

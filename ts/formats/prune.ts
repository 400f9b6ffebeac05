import { EspalierError } from '../errors.js'
import type { Block } from '../model/block.js'

/** Weights of a layer, row-major, and which of them exist. */
export interface Matrix {
  readonly outputs: number
  readonly inputs: number
  /** 0 where a weight does not exist. */
  readonly values: Float32Array
  readonly present: Uint8Array
}

interface Named {
  readonly name: string
  readonly matrix: Matrix
}

/** The blocks that hold a weight that exists: 1 for each of them, else 0; row-major over the grid of blocks. */
export function presentBlocks({ name, matrix }: Named, block: Block): Uint8Array {
  const blocks = new Uint8Array(gridSize(matrix, block))
  forEachWeight(matrix, block, (weight, position) => {
    if (matrix.present[weight] === 1) blocks[position] = 1
  })
  if (!blocks.includes(1)) throw nothingLeft(name)
  return blocks
}

/**
 * Keeps the blocks of largest norm, all layers in one order: size - floor(sparsity x size) of all their blocks, of equal
 * ones the first.
 *
 * @returns for each layer as `presentBlocks`
 * @throws ERR_ESPALIER_OPTION where more would be kept than hold a weight that exists, or a layer is left without any
 */
export function prune(layers: readonly Named[], block: Block, sparsity: number): Uint8Array[] {
  const present = layers.map((layer) => presentBlocks(layer, block))
  const norms = layers.map(({ matrix }) => squaredNorms(matrix, block))
  const size = norms.reduce((sum, { length }) => sum + length, 0)
  const available = present.reduce((sum, blocks) => sum + blocks.reduce((some, one) => some + one, 0), 0)
  const budget = size - Math.floor(sparsity * size)
  if (budget > available) {
    const names = layers.map(({ name }) => `"${name}"`).join(', ')
    const what = `${available} of ${size} connections of ${names} are not 0, and a sparsity of ${sparsity} asks for ${budget}`
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `importNetwork: ${what}; allowed: a higher sparsity, or none`,
    )
  }
  const kept = keepLargest(norms, present, budget)
  for (const [i, blocks] of kept.entries()) if (!blocks.includes(1)) throw nothingLeft(layers[i]!.name)
  return kept
}

function keepLargest(
  norms: readonly Float64Array[],
  present: readonly Uint8Array[],
  budget: number,
): Uint8Array[] {
  const sorted = new Float64Array(norms.reduce((sum, { length }) => sum + length, 0))
  let filled = 0
  for (const list of norms) {
    sorted.set(list, filled)
    filled += list.length
  }
  sorted.sort()
  const threshold = sorted[sorted.length - budget]!
  // As many of those at the threshold stay as there is room for.
  let equals = budget
  for (let i = sorted.length - 1; i >= 0 && sorted[i]! > threshold; i--) equals--
  return norms.map((list, layer) => {
    const blocks = new Uint8Array(list.length)
    for (let i = 0; i < list.length; i++) {
      const tie = list[i] === threshold && present[layer]![i] === 1 && equals > 0
      if (tie) equals--
      if (tie || list[i]! > threshold) blocks[i] = 1
    }
    return blocks
  })
}

function squaredNorms(matrix: Matrix, block: Block): Float64Array {
  const norms = new Float64Array(gridSize(matrix, block))
  forEachWeight(matrix, block, (weight, position) => {
    norms[position]! += matrix.values[weight]! ** 2
  })
  return norms
}

const gridSize = ({ outputs, inputs }: Matrix, [height, width]: Block): number =>
  Math.ceil(outputs / height) * Math.ceil(inputs / width)

/** Calls with the index of every weight and that of its block. */
function forEachWeight(
  { outputs, inputs }: Matrix,
  [height, width]: Block,
  visit: (weight: number, block: number) => void,
): void {
  const blockColumns = Math.ceil(inputs / width)
  for (let output = 0; output < outputs; output++) {
    const row = Math.floor(output / height) * blockColumns
    for (let input = 0; input < inputs; input++)
      visit(output * inputs + input, row + Math.floor(input / width))
  }
}

function nothingLeft(name: string): EspalierError {
  const message = `importNetwork: the layer of "${name}" is left without a connection; allowed: a lower sparsity`
  return new EspalierError('ERR_ESPALIER_OPTION', message)
}

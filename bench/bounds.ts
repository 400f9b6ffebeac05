import { type Ceilings, type Precision, type Product, partsOf, products } from './addon.js'
import type { BlockName } from './records.js'
import { blockOf } from './suites/suite.js'

// What the ceilings of a machine allow. The model counts multiply-adds, and what must come from the second-level cache: the
// activations that connections reach for, weights once, results once. Activations that happen to lie in the first-level
// cache come faster, so that a measured time can pass the bound a little where layers are narrow.

/** The least time that the machine allows. */
export interface Bound {
  milliseconds: number
  /** What sets it. */
  by: 'multiply-adds' | 'second-level cache'
}

export interface Way {
  sparsity: number
  block: BlockName
  precision: Precision
}

export interface Layer {
  inputs: number
  outputs: number
  batch: number
}

export const connectionsOf = ({ inputs, outputs }: Omit<Layer, 'batch'>, sparsity: number): number =>
  Math.round(inputs * outputs * (1 - sparsity))

/**
 * Bytes that a connection reaches for with each sample. A block's rows share what they load; the input gradient gathers
 * over its columns, or adds into sums of float32 over its rows, whichever is less.
 */
export function gatheredBytes(product: Product, { block, precision }: Omit<Way, 'sparsity'>): number {
  const [rows, columns] = blockOf(block)
  const activation = precision === 'bfloat16' ? 2 : 4
  if (product === 'inputGradient') return Math.min(activation / columns, (2 * 4) / rows)
  return activation / rows
}

/** Operations of useful multiply-adds, two each. */
export const operationsOf = (layer: Layer, sparsity: number): number =>
  2 * connectionsOf(layer, sparsity) * layer.batch

/** Weights and, for each block, the index. */
function storedBytes(connections: number, block: BlockName): number {
  const [rows, columns] = blockOf(block)
  return connections * (4 + 4 / (rows * columns))
}

function productBound(product: Product, layer: Layer, way: Way, ceilings: Ceilings): Bound {
  const { inputs, outputs, batch } = layer
  const connections = connectionsOf(layer, way.sparsity)
  const results = { forward: outputs, inputGradient: inputs, weightGradient: outputs }[product]
  const bytes =
    connections * batch * gatheredBytes(product, way) +
    results * batch * 4 +
    storedBytes(connections, way.block)
  return slower(2 * connections * batch, bytes, ceilings)
}

function slower(operations: number, bytes: number, { fmaGflops, secondLevelGBs }: Ceilings): Bound {
  const computing = operations / (fmaGflops * 1e6)
  const loading = bytes / (secondLevelGBs * 1e6)
  return computing > loading
    ? { milliseconds: computing, by: 'multiply-adds' }
    : { milliseconds: loading, by: 'second-level cache' }
}

/** One after the other; what sets the longest of them is named. */
function sum(bounds: readonly Bound[]): Bound {
  const longest = bounds.reduce((a, b) => (b.milliseconds > a.milliseconds ? b : a))
  return { milliseconds: bounds.reduce((total, { milliseconds }) => total + milliseconds, 0), by: longest.by }
}

/** Of the three products of a layer. */
export const productsBound = (layer: Layer, way: Way, ceilings: Ceilings): Bound =>
  sum(
    partsOf(way.block === '1x1').map((part) =>
      part === 'backward' ? backwardBound(layer, way, ceilings) : productBound(part, layer, way, ceilings),
    ),
  )

/** Each pair of neighbours; the last layer is dense. */
function layersOf(sizes: readonly number[], batch: number, sparsity: number) {
  return sizes.slice(1).map((outputs, index) => ({
    inputs: sizes[index]!,
    outputs,
    batch,
    sparsity: index === sizes.length - 2 ? 0 : sparsity,
    lowest: index === 0,
  }))
}

/**
 * Both products of the backward pass, where one walk over single weights does for both: an output gradient that is
 * fetched serves the two.
 */
function backwardBound(layer: Layer, way: Way, ceilings: Ceilings): Bound {
  const connections = connectionsOf(layer, way.sparsity)
  const bytes =
    connections * layer.batch * gatheredBytes('inputGradient', way) +
    2 * layer.inputs * layer.batch * 4 +
    storedBytes(connections, way.block) +
    connections * 4
  return slower(4 * connections * layer.batch, bytes, ceilings)
}

/** Of a training step: products, and the update, which reads three numbers for each weight and writes two. */
export function stepBound(sizes: readonly number[], batch: number, way: Way, ceilings: Ceilings): Bound {
  return sum(
    layersOf(sizes, batch, way.sparsity).flatMap((layer) => {
      const { sparsity, lowest } = layer
      const weights = connectionsOf(layer, sparsity)
      const needed = products.filter((product) => !lowest || product !== 'inputGradient')
      const update = slower(0, weights * 5 * 4, ceilings)
      if (sparsity === 0) return [slower(2 * weights * batch * needed.length, 0, ceilings), update]
      const fused = !lowest && way.block === '1x1' && way.precision === 'float32'
      if (fused) {
        return [productBound('forward', layer, way, ceilings), backwardBound(layer, way, ceilings), update]
      }
      return [...needed.map((product) => productBound(product, layer, way, ceilings)), update]
    }),
  )
}

/** Of one sample through the network: every weight is read once. */
export function inferenceBound(sizes: readonly number[], way: Way, ceilings: Ceilings): Bound {
  return sum(
    layersOf(sizes, 1, way.sparsity).map((layer) => {
      const weights = connectionsOf(layer, layer.sparsity)
      const bytes = layer.sparsity === 0 ? 4 * weights : storedBytes(weights, way.block)
      return slower(2 * weights, bytes, ceilings)
    }),
  )
}

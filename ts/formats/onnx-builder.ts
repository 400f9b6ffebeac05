import type { ActivationName } from '../model/activation.js'
import { outputsOf } from '../model/description.js'
import type { DenseLayer, SparseLayer } from '../model/layers.js'
import { tensorOf } from '../model/pattern.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import type { Graph, Initializer, Node } from './onnx-graph.js'
import { layerMatrix } from './sparse-matrix.js'

/** Activations that are one operator without attributes. */
const operators: Partial<Record<ActivationName, string>> = { relu: 'Relu', tanh: 'Tanh', sigmoid: 'Sigmoid' }

/** Turns layers into nodes, one after the other. */
export class GraphBuilder {
  readonly #nodes: Node[] = []
  readonly #initializers = new Map<string, Initializer>()
  /** What the nodes so far compute. */
  #current = 'input'
  /** Layers with weights so far: All-ReLU alternates by them. */
  #weighted = 0

  constructor(
    private readonly snapshot: NetworkSnapshot,
    private readonly sparse: boolean,
  ) {}

  graph(): Graph {
    const { description } = this.snapshot
    let width = description.inputs
    for (const [index, layer] of description.layers.entries()) {
      if (layer.type === 'dropout') continue
      if (layer.type === 'layerNorm') {
        const inputs = ['gain', 'shift'].map((what) => this.#parameter(index, what, [width]))
        this.#current = this.#node(`layers.${index}.norm`, 'LayerNormalization', [this.#current, ...inputs], {
          axis: { integer: -1 },
          epsilon: { float: layer.epsilon },
        })
        continue
      }
      this.#product(index, layer, width)
      this.#activation(index, layer)
      width = layer.outputs
    }
    if (description.loss === 'softmaxCrossEntropy') {
      this.#node('probabilities', 'Softmax', [this.#current], { axis: { integer: 1 } })
    }
    if (description.loss === 'binaryCrossEntropy') this.#node('probabilities', 'Sigmoid', [this.#current])
    this.#nodes.at(-1)!.output = 'output'
    return {
      name: 'network',
      nodes: this.#nodes,
      initializers: [...this.#initializers.values()],
      input: { name: 'input', width: description.inputs },
      output: { name: 'output', width: outputsOf(description) },
    }
  }

  /** W x + b. */
  #product(index: number, layer: SparseLayer | DenseLayer, width: number): void {
    const shape = [layer.outputs, width]
    const weight =
      layer.type === 'sparse' ? this.#sparseWeight(index, shape) : this.#parameter(index, 'weight', shape)
    const bias = layer.bias ? [this.#parameter(index, 'bias', [layer.outputs])] : []
    this.#current = this.#node(`layers.${index}.product`, 'Gemm', [this.#current, weight, ...bias], {
      transB: { integer: 1 },
    })
  }

  #activation(index: number, layer: SparseLayer | DenseLayer): void {
    this.#weighted++
    const { type, alpha } = layer.activation
    const x = this.#current
    const name = (what: string) => `layers.${index}.${what}`
    const operator = operators[type]
    if (operator !== undefined) this.#current = this.#node(name(type), operator, [x])
    if (type === 'leakyRelu' || type === 'allRelu') {
      const slope = type === 'allRelu' && this.#weighted % 2 === 0 ? -alpha : alpha
      this.#current = this.#node(name(type), 'LeakyRelu', [x], { alpha: { float: slope } })
    }
    if (type === 'silu') {
      this.#current = this.#node(name(type), 'Mul', [x, this.#node(name('silu.gate'), 'Sigmoid', [x])])
    }
    if (type === 'gelu') this.#current = this.#gelu(name, x)
    if (type === 'srelu') this.#current = this.#srelu(index, layer.outputs, name, x)
  }

  /** x / 2 (1 + erf(x / sqrt(2))); the operator Gelu is of a later opset. */
  #gelu(name: (what: string) => string, x: string): string {
    const scaled = this.#node(name('gelu.scaled'), 'Mul', [x, this.#scalar('sqrtHalf', Math.SQRT1_2)])
    const erf = this.#node(name('gelu.erf'), 'Erf', [scaled])
    const gate = this.#node(name('gelu.gate'), 'Add', [erf, this.#scalar('one', 1)])
    const product = this.#node(name('gelu.product'), 'Mul', [x, gate])
    return this.#node(name('gelu'), 'Mul', [product, this.#scalar('half', 0.5)])
  }

  /** A line of its own below the left threshold, and one above the right threshold, x between them. */
  #srelu(index: number, outputs: number, name: (what: string) => string, x: string): string {
    const all = this.#tensor(index, 'srelu')
    const [left, leftSlope, right, rightSlope] = ['left', 'leftSlope', 'right', 'rightSlope'].map((what, i) =>
      this.#constant(name(`srelu.${what}`), [outputs], all.subarray(i * outputs, (i + 1) * outputs)),
    ) as [string, string, string, string]
    const line = (side: string, threshold: string, slope: string) => {
      const beyond = this.#node(name(`srelu.${side}.beyond`), 'Sub', [x, threshold])
      const scaled = this.#node(name(`srelu.${side}.scaled`), 'Mul', [beyond, slope])
      return this.#node(name(`srelu.${side}.line`), 'Add', [scaled, threshold])
    }
    const low = line('low', left, leftSlope)
    const high = line('high', right, rightSlope)
    const aboveLeft = this.#node(name('srelu.aboveLeft'), 'Greater', [x, left])
    const aboveRight = this.#node(name('srelu.aboveRight'), 'GreaterOrEqual', [x, right])
    const inner = this.#node(name('srelu.inner'), 'Where', [aboveLeft, x, low])
    return this.#node(name('srelu'), 'Where', [aboveRight, high, inner])
  }

  #sparseWeight(index: number, shape: readonly number[]): string {
    const { rowOffsets, columnIndices, values } = layerMatrix(this.snapshot, index)
    const width = shape[1]!
    const name = `layers.${index}.weight`
    const positions = new Float64Array(values.length)
    for (let row = 0; row < shape[0]!; row++) {
      const end = Number(rowOffsets[row + 1])
      for (let i = Number(rowOffsets[row]); i < end; i++) positions[i] = row * width + columnIndices[i]!
    }
    if (this.sparse) {
      this.#initializers.set(name, { name, shape, values, positions: BigInt64Array.from(positions, BigInt) })
      return name
    }
    const dense = new Float32Array(shape[0]! * width)
    for (let i = 0; i < values.length; i++) dense[positions[i]!] = values[i]!
    return this.#constant(name, shape, dense)
  }

  #parameter(index: number, what: string, shape: readonly number[]): string {
    return this.#constant(`layers.${index}.${what}`, shape, this.#tensor(index, what))
  }

  #tensor(index: number, what: string): Float32Array {
    return tensorOf(this.snapshot, `layers.${index}.${what}`, Float32Array)
  }

  #scalar(name: string, value: number): string {
    return this.#constant(`constants.${name}`, [], Float32Array.of(value))
  }

  #constant(name: string, shape: readonly number[], values: Float32Array): string {
    this.#initializers.set(name, { name, shape, values })
    return name
  }

  #node(
    output: string,
    operator: string,
    inputs: readonly string[],
    attributes: Node['attributes'] = {},
  ): string {
    this.#nodes.push({ operator, inputs, output, attributes })
    return output
  }
}

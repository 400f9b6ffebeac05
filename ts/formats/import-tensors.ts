import { closest } from 'fastest-levenshtein'
import { fileStart } from '../data/readers/bytes.js'
import { EspalierError } from '../errors.js'
import { MAX_WIDTH } from '../validation.js'
import type { NumpyArray } from './npy.js'
import { readNpz } from './npz.js'
import type { Matrix } from './prune.js'
import { readSafetensors } from './safetensors.js'

/** The arrays of a file of another library, as layers of a network. */
export class ImportedTensors {
  private constructor(
    readonly path: string,
    private readonly tensors: ReadonlyMap<string, Pick<NumpyArray, 'shape' | 'data'>>,
  ) {}

  /** Reads a .npz file, known by how it begins, or else safetensors, whose ninth byte opens its JSON. */
  static async read(path: string, options: { maxBytes?: number | undefined }): Promise<ImportedTensors> {
    const start = await fileStart(path, 9)
    if (start.toString('latin1', 0, 2) === 'PK' && start[8] !== 0x7b) {
      const { maxBytes } = options
      return new ImportedTensors(path, await readNpz(path, maxBytes === undefined ? {} : { maxBytes }))
    }
    const { tensors } = await readSafetensors(path)
    return new ImportedTensors(path, new Map(tensors.map((tensor) => [tensor.name, tensor])))
  }

  names(): string[] {
    return [...this.tensors.keys()]
  }

  shape(name: string): readonly number[] {
    return this.#get(name).shape
  }

  /** Names and shapes, for messages. */
  listing(): string {
    const all = [...this.tensors].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`)
    const more = all.length > 20 ? ` and ${all.length - 20} more` : ''
    return all.length === 0 ? 'nothing' : all.slice(0, 20).join(', ') + more
  }

  /** Weights as outputs x inputs, with zeros where none exist. */
  matrix(name: string, mask: string | undefined, layout: 'outputsFirst' | 'inputsFirst'): Matrix {
    const { shape } = this.#get(name)
    if (shape.length !== 2 || !shape.every((side) => side >= 1 && side <= MAX_WIDTH)) {
      throw this.#unfit(
        name,
        `has shape [${shape.join(', ')}]; weights have two sides from 1 to ${MAX_WIDTH}`,
      )
    }
    const turn = (values: Float32Array) =>
      layout === 'inputsFirst' ? transposed(values, shape[0]!, shape[1]!) : values
    const [outputs, inputs] = layout === 'inputsFirst' ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!]
    const values = turn(this.#floats(name))
    const shown = mask === undefined ? values : turn(this.#numbers(mask))
    if (mask !== undefined && this.#get(mask).shape.join() !== shape.join()) {
      throw this.#unfit(
        mask,
        `has shape [${this.#get(mask).shape.join(', ')}]; that of "${name}" is [${shape.join(', ')}]`,
      )
    }
    const present = Uint8Array.from(shown, (value) => (value === 0 ? 0 : 1))
    return { outputs, inputs, values: values.map((value, i) => (present[i] === 0 ? 0 : value)), present }
  }

  /** One number a neuron. */
  vector(name: string, outputs: number, weight: string): Float32Array {
    const { shape } = this.#get(name)
    if (shape.length === 1 && shape[0] === outputs) return this.#floats(name)
    throw this.#unfit(name, `has shape [${shape.join(', ')}]; "${weight}" has ${outputs} neurons`)
  }

  /** Each layer must take what the one before it gives. */
  checkWidths(layers: readonly { name: string; matrix: Matrix }[]): void {
    for (const [i, { name, matrix }] of layers.entries()) {
      const before = layers[i - 1]
      if (before === undefined || before.matrix.outputs === matrix.inputs) continue
      const gives = `"${before.name}", the layer before it, gives ${before.matrix.outputs}`
      throw this.#unfit(
        name,
        `takes ${matrix.inputs} inputs, and ${gives}; options "layers" and "layout" say what is what`,
      )
    }
  }

  #get(name: string): Pick<NumpyArray, 'shape' | 'data'> {
    const tensor = this.tensors.get(name)
    if (tensor !== undefined) return tensor
    const names = this.names()
    const near = names.length === 0 ? '' : ` the nearest name is "${closest(name, names)}";`
    const message = `${this.path}: there is no array "${name}";${near} the file holds ${this.listing()}`
    throw new EspalierError('ERR_ESPALIER_NOT_FOUND', message)
  }

  #numbers(name: string): Float32Array {
    const { data } = this.#get(name)
    return data instanceof BigInt64Array || data instanceof BigUint64Array
      ? Float32Array.from(data, Number)
      : Float32Array.from(data)
  }

  #floats(name: string): Float32Array {
    const { data } = this.#get(name)
    if (!(data instanceof Float32Array || data instanceof Float64Array)) {
      throw this.#unfit(name, `is ${data.constructor.name}; weights and biases are floating-point numbers`)
    }
    const floats = this.#numbers(name)
    const odd = floats.findIndex((value) => !Number.isFinite(value))
    if (odd >= 0)
      throw this.#unfit(name, `has ${floats[odd]} at element ${odd}, or a number too large for float32`)
    return floats
  }

  #unfit(name: string, what: string): EspalierError {
    return new EspalierError('ERR_ESPALIER_DATA', `${this.path}: "${name}" ${what}`)
  }
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column]!
  }
  return turned
}

import { readFileSync } from 'node:fs'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** A small ONNX runtime in float64: reads a model and computes what it says, for the operators that Espalier writes. */

type Fields = Map<number, (number | Uint8Array)[]>

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes)
  const fields: Fields = new Map()
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    const list = fields.get(number) ?? []
    fields.set(number, list)
    if (type === WireType.Varint) list.push(Number(reader.int64()))
    else if (type === WireType.Bit32) list.push(reader.float())
    else if (type === WireType.LengthDelimited) list.push(reader.bytes())
    else throw new Error(`wire type ${type}`)
  }
  return fields
}

const numbers = (fields: Fields, field: number) => (fields.get(field) ?? []) as number[]
const messages = (fields: Fields, field: number) => ((fields.get(field) ?? []) as Uint8Array[]).map(fieldsOf)
const texts = (fields: Fields, field: number) =>
  ((fields.get(field) ?? []) as Uint8Array[]).map((bytes) => Buffer.from(bytes).toString())

interface Tensor {
  shape: number[]
  values: Float64Array
}

function tensorOf(fields: Fields): Tensor {
  const raw = Uint8Array.from(fields.get(9)![0] as Uint8Array)
  const values =
    numbers(fields, 2)[0] === 1
      ? Float64Array.from(new Float32Array(raw.buffer))
      : Float64Array.from(new BigInt64Array(raw.buffer), Number)
  return { shape: numbers(fields, 1), values }
}

function sparseOf(fields: Fields): Tensor {
  const shape = numbers(fields, 3)
  const [stored] = messages(fields, 1)
  const positions = tensorOf(messages(fields, 2)[0]!)
  const values = new Float64Array(shape.reduce((product, side) => product * side, 1))
  tensorOf(stored!).values.forEach((value, i) => {
    values[positions.values[i]!] = value
  })
  return { shape, values }
}

export interface Model {
  operators: string[]
  /** Names of the dense initializers, and of the sparse ones. */
  dense: string[]
  sparse: string[]
  /** Input and output: name, and what each dimension says. */
  values: { name: string; shape: (string | number)[] }[]
  /** Outputs of every sample. */
  run(samples: Float32Array, width: number): number[][]
}

export function readModel(file: string): Model {
  const model = fieldsOf(readFileSync(file))
  const [graph] = messages(model, 7)
  const constants = new Map<string, Tensor>()
  const dense = messages(graph!, 5)
  const sparse = messages(graph!, 15)
  for (const one of dense) constants.set(texts(one, 8)[0]!, tensorOf(one))
  for (const one of sparse) constants.set(texts(messages(one, 1)[0]!, 8)[0]!, sparseOf(one))
  const nodes = messages(graph!, 1).map((node) => ({
    inputs: texts(node, 1),
    output: texts(node, 2)[0]!,
    operator: texts(node, 4)[0]!,
    attributes: new Map(
      messages(node, 5).map((one) => [
        texts(one, 1)[0]!,
        numbers(one, numbers(one, 20)[0] === 1 ? 2 : 3)[0]!,
      ]),
    ),
  }))
  const values = [11, 12].map((field) => {
    const [info] = messages(graph!, field)
    const [tensor] = messages(messages(info!, 2)[0]!, 1)
    const shape = messages(messages(tensor!, 2)[0]!, 1)
    return { name: texts(info!, 1)[0]!, shape: shape.map((one) => texts(one, 2)[0] ?? numbers(one, 1)[0]!) }
  })
  return {
    operators: nodes.map(({ operator }) => operator),
    dense: dense.map((one) => texts(one, 8)[0]!),
    sparse: sparse.map((one) => texts(messages(one, 1)[0]!, 8)[0]!),
    values,
    run: (samples, width) =>
      Array.from({ length: samples.length / width }, (_, i) => {
        const known = new Map(constants)
        const row = samples.subarray(i * width, (i + 1) * width)
        known.set('input', { shape: [width], values: Float64Array.from(row) })
        for (const { operator, inputs, output, attributes } of nodes) {
          const given = inputs.map((name) => known.get(name)!)
          if (given.includes(undefined as never)) throw new Error(`${operator} of ${inputs}`)
          const result = operators[operator]!(given, attributes)
          known.set(output, { shape: [result.length], values: Float64Array.from(result) })
        }
        return Array.from(known.get('output')!.values)
      }),
  }
}

type Operator = (inputs: Tensor[], attributes: Map<string, number>) => ArrayLike<number>

/** Element by element; a constant of one element goes with every element. */
const each =
  (compute: (...values: number[]) => number): Operator =>
  (inputs) =>
    inputs[0]!.values.map((_, i) =>
      compute(...inputs.map(({ values }) => values[values.length === 1 ? 0 : i]!)),
    )

function erf(x: number): number {
  // Abramowitz and Stegun 7.1.5, enough terms for |x| < 5.
  let [term, sum] = [x, x]
  for (let n = 1; n < 150; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

const operators: Record<string, Operator> = {
  Gemm: ([x, weight, bias], attributes) => {
    if (attributes.get('transB') !== 1) throw new Error('transB is not 1')
    const [outputs, inputs] = weight!.shape as [number, number]
    return Array.from({ length: outputs }, (_, o) => {
      let sum = bias?.values[o] ?? 0
      for (let i = 0; i < inputs; i++) sum += weight!.values[o * inputs + i]! * x!.values[i]!
      return sum
    })
  },
  LayerNormalization: ([x, gain, shift], attributes) => {
    const { values } = x!
    const mean = values.reduce((a, b) => a + b) / values.length
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
    const scale = 1 / Math.sqrt(variance + attributes.get('epsilon')!)
    return values.map((value, i) => gain!.values[i]! * (value - mean) * scale + shift!.values[i]!)
  },
  Softmax: ([x]) => {
    const powers = x!.values.map(Math.exp)
    const sum = powers.reduce((a, b) => a + b)
    return powers.map((power) => power / sum)
  },
  LeakyRelu: (inputs, attributes) =>
    each((x) => (x < 0 ? attributes.get('alpha')! * x : x))(inputs, attributes),
  Relu: each((x) => Math.max(0, x)),
  Tanh: each(Math.tanh),
  Sigmoid: each((x) => 1 / (1 + Math.exp(-x))),
  Erf: each(erf),
  Add: each((a, b) => a + b),
  Sub: each((a, b) => a - b),
  Mul: each((a, b) => a * b),
  Greater: each((a, b) => (a > b ? 1 : 0)),
  GreaterOrEqual: each((a, b) => (a >= b ? 1 : 0)),
  Where: each((condition, a, b) => (condition === 1 ? a : b)),
}

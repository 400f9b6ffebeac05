import { bytes, type Field, float, integer, message, text } from './protobuf.js'

/**
 * The messages of ONNX that a network needs; numbers of fields and types are those of onnx.proto
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */

/** A constant of the graph. */
export interface Initializer {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
  /** Of a sparse one: the position of each value in the row-major tensor, ascending. */
  readonly positions?: BigInt64Array
}

export interface Node {
  readonly operator: string
  readonly inputs: readonly string[]
  output: string
  readonly attributes: Readonly<Record<string, { readonly float: number } | { readonly integer: number }>>
}

export interface Graph {
  readonly name: string
  readonly nodes: readonly Node[]
  readonly initializers: readonly Initializer[]
  /** Features of a sample; the dimension before them is the batch's, of any size. */
  readonly input: { readonly name: string; readonly width: number }
  readonly output: { readonly name: string; readonly width: number }
}

const dataType = { float: 1, int64: 7 } as const
const attributeType = { float: 1, integer: 2 } as const

/** ONNX 1.12 of June 2022: the first with LayerNormalization. */
const operators = 17
const irVersion = 8

/** ModelProto: the whole file. @param version of Espalier */
export function modelFields(graph: Graph, version: string): Field[] {
  return [
    integer(1, irVersion),
    text(2, 'espalier'),
    text(3, version),
    message(8, text(1, ''), integer(2, operators)),
    message(7, ...graphFields(graph)),
  ]
}

function graphFields({ name, nodes, initializers, input, output }: Graph): Field[] {
  return [
    ...nodes.map((node) => message(1, ...nodeFields(node))),
    text(2, name),
    ...initializers.map((one) =>
      one.positions === undefined
        ? message(5, ...tensorFields(dataType.float, one.name, one.shape, one.values))
        : message(15, ...sparseFields(one, one.positions)),
    ),
    message(11, ...valueFields(input)),
    message(12, ...valueFields(output)),
  ]
}

function nodeFields({ operator, inputs, output, attributes }: Node): Field[] {
  return [
    ...inputs.map((input) => text(1, input)),
    text(2, output),
    // What it computes is unique, and so is its name.
    text(3, output),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      'float' in value
        ? message(5, text(1, name), float(2, value.float), integer(20, attributeType.float))
        : message(5, text(1, name), integer(3, value.integer), integer(20, attributeType.integer)),
    ),
  ]
}

function tensorFields(
  type: number,
  name: string,
  shape: readonly number[],
  values: Float32Array | BigInt64Array,
): Field[] {
  return [
    ...shape.map((side) => integer(1, side)),
    integer(2, type),
    text(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]
}

function sparseFields({ name, shape, values }: Initializer, positions: BigInt64Array): Field[] {
  return [
    message(1, ...tensorFields(dataType.float, name, [values.length], values)),
    message(2, ...tensorFields(dataType.int64, `${name}.positions`, [positions.length], positions)),
    ...shape.map((side) => integer(3, side)),
  ]
}

/** ValueInfoProto of float32 values, batch x width. */
function valueFields({ name, width }: Graph['input']): Field[] {
  const shape = message(2, message(1, text(2, 'batch')), message(1, integer(1, width)))
  return [text(1, name), message(2, message(1, integer(1, dataType.float), shape))]
}

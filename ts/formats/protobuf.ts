import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** Messages of Protocol Buffers, written field by field: a message is the list of its fields. */
export type Field = (writer: BinaryWriter) => void

export const text =
  (number: number, value: string): Field =>
  (writer) =>
    writer.tag(number, WireType.LengthDelimited).string(value)

export const bytes =
  (number: number, value: Uint8Array): Field =>
  (writer) =>
    writer.tag(number, WireType.LengthDelimited).bytes(value)

/** int32, int64 and enumerations. */
export const integer =
  (number: number, value: number): Field =>
  (writer) =>
    writer.tag(number, WireType.Varint).int64(value)

export const float =
  (number: number, value: number): Field =>
  (writer) =>
    writer.tag(number, WireType.Bit32).float(value)

export const double =
  (number: number, value: number): Field =>
  (writer) =>
    writer.tag(number, WireType.Bit64).double(value)

export const packedDoubles =
  (number: number, values: readonly number[]): Field =>
  (writer) => {
    writer.tag(number, WireType.LengthDelimited).fork()
    for (const value of values) writer.double(value)
    writer.join()
  }

export const message =
  (number: number, ...fields: readonly Field[]): Field =>
  (writer) => {
    writer.tag(number, WireType.LengthDelimited).fork()
    for (const field of fields) field(writer)
    writer.join()
  }

/** The bytes of a message of these fields. */
export function encodeMessage(...fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const field of fields) field(writer)
  return writer.finish()
}

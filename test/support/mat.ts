import { deflateSync } from 'node:zlib'

/** Writes MAT files of version 5 for tests. */
export class MatWriter {
  readonly little: boolean
  readonly #parts: Buffer[]

  constructor(little: boolean) {
    this.little = little
    const header = Buffer.alloc(128, ' ')
    header.write('MATLAB 5.0 MAT-file, made by a test')
    this.#word(header, 124, 0x0100)
    header.write(little ? 'IM' : 'MI', 126, 'latin1')
    this.#parts = [header]
  }

  #word(buffer: Buffer, at: number, value: number): void {
    if (this.little) buffer.writeUInt16LE(value, at)
    else buffer.writeUInt16BE(value, at)
  }

  uint32(...values: number[]): Buffer {
    const buffer = Buffer.alloc(4 * values.length)
    values.forEach((value, i) => {
      if (this.little) buffer.writeUInt32LE(value >>> 0, 4 * i)
      else buffer.writeUInt32BE(value >>> 0, 4 * i)
    })
    return buffer
  }

  /** A data element; small ones are packed into 8 bytes where asked. */
  element(type: number, data: Buffer, small = false): Buffer {
    if (small && data.length > 0 && data.length <= 4) {
      return Buffer.concat([this.uint32((data.length << 16) | type), data, Buffer.alloc(4 - data.length)])
    }
    const padding = type === 15 ? 0 : (8 - (data.length % 8)) % 8
    return Buffer.concat([this.uint32(type, data.length), data, Buffer.alloc(padding)])
  }

  /** Bytes of numbers of a type of the file: its code, and how to write one. */
  numbers(type: number, values: readonly number[]): Buffer {
    const end = this.little ? 'LE' : 'BE'
    return Buffer.concat(
      values.map((value) => {
        const buffer = Buffer.alloc(8)
        switch (type) {
          case 1:
            return buffer.subarray(0, buffer.writeInt8(value))
          case 2:
            return buffer.subarray(0, buffer.writeUInt8(value))
          case 3:
            return buffer.subarray(0, buffer[`writeInt16${end}`](value))
          case 4:
            return buffer.subarray(0, buffer[`writeUInt16${end}`](value))
          case 5:
            return buffer.subarray(0, buffer[`writeInt32${end}`](value))
          case 6:
            return buffer.subarray(0, buffer[`writeUInt32${end}`](value))
          case 7:
            return buffer.subarray(0, buffer[`writeFloat${end}`](value))
          case 9:
            return buffer.subarray(0, buffer[`writeDouble${end}`](value))
          case 12:
            return buffer.subarray(0, buffer[`writeBigInt64${end}`](BigInt(value)))
          case 13:
            return buffer.subarray(0, buffer[`writeBigUInt64${end}`](BigInt(value)))
          default:
            throw new Error(`type ${type}`)
        }
      }),
    )
  }

  #head(name: string, matrixClass: number, shape: readonly number[], flags = 0): Buffer {
    return Buffer.concat([
      this.element(6, this.uint32(flags | matrixClass, 0)),
      this.element(5, this.numbers(5, shape)),
      this.element(1, Buffer.from(name), true),
    ])
  }

  /** A dense matrix, its values column by column, stored as `type` (9: double). */
  dense(name: string, shape: readonly number[], values: readonly number[], type = 9, flags = 0): Buffer {
    const data = this.element(type, this.numbers(type, values), true)
    return this.element(14, Buffer.concat([this.#head(name, 6, shape, flags), data]))
  }

  /** A sparse matrix in compressed columns. */
  sparse(
    name: string,
    shape: readonly number[],
    rows: number[],
    offsets: number[],
    values: number[],
  ): Buffer {
    return this.element(
      14,
      Buffer.concat([
        this.#head(name, 5, shape),
        this.element(5, this.numbers(5, rows)),
        this.element(5, this.numbers(5, offsets)),
        this.element(9, this.numbers(9, values)),
      ]),
    )
  }

  /** A matrix of text. */
  text(name: string, text: string): Buffer {
    const data = this.element(
      4,
      this.numbers(
        4,
        [...text].map((letter) => letter.charCodeAt(0)),
      ),
    )
    return this.element(14, Buffer.concat([this.#head(name, 4, [1, text.length]), data]))
  }

  compressed(element: Buffer): Buffer {
    return this.element(15, deflateSync(element))
  }

  add(...elements: Buffer[]): this {
    this.#parts.push(...elements)
    return this
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

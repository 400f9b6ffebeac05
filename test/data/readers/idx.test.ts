import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { budgetFor } from '../../../lib/data/readers/bytes.js'
import { readIdxSamples, readIdx as readIdxWithin } from '../../../lib/data/readers/idx.js'
import { refusesEveryCut, rejectsWith, survivesEveryChange } from '../../support/data.js'

const readIdx = async (path: string) => readIdxWithin(await budgetFor(path))

/** An IDX file of a type code, sizes and raw big-endian data. */
function idx(code: number, shape: readonly number[], data: Buffer): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header[2] = code
  header[3] = shape.length
  shape.forEach((size, i) => {
    header.writeUInt32BE(size, 4 + 4 * i)
  })
  return Buffer.concat([header, data])
}

const TYPES: [string, number, number[], (buffer: Buffer, value: number, at: number) => void, number][] = [
  ['uint8', 0x08, [0, 7, 255], (b, v, at) => b.writeUInt8(v, at), 1],
  ['int8', 0x09, [-128, 0, 127], (b, v, at) => b.writeInt8(v, at), 1],
  ['int16', 0x0b, [-32768, 258, 32767], (b, v, at) => b.writeInt16BE(v, at), 2],
  ['int32', 0x0c, [-2147483648, 16909060, 5], (b, v, at) => b.writeInt32BE(v, at), 4],
  ['float32', 0x0d, [-1.5, 0.25, 3e20], (b, v, at) => b.writeFloatBE(v, at), 4],
  ['float64', 0x0e, [-1.5, 0.1, 1e300], (b, v, at) => b.writeDoubleBE(v, at), 8],
]

t.test('every number type', async (t) => {
  const path = join(t.testdir(), 'numbers.idx')
  for (const [name, code, values, write, size] of TYPES) {
    const data = Buffer.alloc(values.length * size)
    values.forEach((value, i) => {
      write(data, value, i * size)
    })
    writeFileSync(path, idx(code, [values.length], data))
    const array = await readIdx(path)
    const expected = name === 'float32' ? values.map(Math.fround) : values
    t.same(Array.from(array.values), expected, name)
    t.same(array.shape, [3])
  }
})

t.test('images and labels, packed or not, whatever the name says', async (t) => {
  const directory = t.testdir()
  const images = join(directory, 'train-images-idx3-ubyte')
  const labels = join(directory, 'train-labels-idx1-ubyte.gz')
  writeFileSync(images, gzipSync(idx(8, [2, 2, 3], Buffer.from([...Array(12).keys()]))))
  writeFileSync(labels, idx(8, [2], Buffer.from([4, 9])))
  const raw = await readIdxSamples(images, labels)
  t.equal(raw.samples, 2)
  t.equal(raw.features, 6)
  t.same(raw.imageShape, [2, 3])
  t.same(Array.from(raw.values), [...Array(12).keys()])
  t.same([...raw.labels!], [4, 9])
  t.ok(raw.values.buffer instanceof SharedArrayBuffer)
})

t.test('headers that lie', async (t) => {
  const path = join(t.testdir(), 'lies.idx')
  const read = (bytes: Buffer) => {
    writeFileSync(path, bytes)
    return readIdx(path)
  }
  const data = Buffer.alloc(4)
  await rejectsWith(t, read(idx(8, [5], data)), 'ERR_ESPALIER_FORMAT', path, 'byte 4', '5', '4')
  await rejectsWith(t, read(idx(8, [3], data)), 'ERR_ESPALIER_FORMAT', path, 'byte 4')
  const huge = idx(14, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], data)
  await rejectsWith(t, read(huge), 'ERR_ESPALIER_FORMAT', path, 'far too many')
  // 2^16 x 2^16 x 2^32: 2^64, which is 0 in 64 bits.
  await rejectsWith(t, read(idx(8, [2 ** 16, 2 ** 16, 2 ** 31, 2], Buffer.alloc(0))), 'ERR_ESPALIER_FORMAT')
  await rejectsWith(t, read(idx(0x0a, [4], data)), 'ERR_ESPALIER_FORMAT', 'byte 0', 'magic')
  await rejectsWith(
    t,
    read(Buffer.from([0, 0, 8, 255, 0])),
    'ERR_ESPALIER_FORMAT',
    'byte 5',
    '255 dimensions',
  )
})

t.test('a file of zeros that unpacks to far more than its size', async (t) => {
  const path = join(t.testdir(), 'bomb.idx.gz')
  const size = 160 * 2 ** 20
  const header = idx(8, [size], Buffer.alloc(0))
  writeFileSync(path, gzipSync(Buffer.concat([header, Buffer.alloc(size)]), { level: 9 }))
  await rejectsWith(t, readIdx(path), 'ERR_ESPALIER_MEMORY', path, 'maxBytes')
})

t.test('cut or changed anywhere', async (t) => {
  const path = join(t.testdir(), 'small.idx')
  const plain = idx(0x0b, [3, 2], Buffer.from([...Array(12).keys()]))
  const packed = gzipSync(plain)
  await refusesEveryCut(t, path, plain, () => readIdx(path))
  await refusesEveryCut(t, path, packed, () => readIdx(path))
  await survivesEveryChange(t, path, plain, () => readIdx(path))
  await survivesEveryChange(t, path, packed, () => readIdx(path))
})

t.test('no file, and a directory', async (t) => {
  const directory = t.testdir()
  await rejectsWith(t, readIdx(join(directory, 'none')), 'ERR_ESPALIER_NOT_FOUND', 'none')
  await rejectsWith(t, readIdx(directory), 'ERR_ESPALIER_FILE', directory)
})

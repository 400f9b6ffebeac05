import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readMatSamples } from '../../../lib/data/readers/mat.js'
import { refusesEveryCut, rejectsWith, survivesEveryChange } from '../../support/data.js'
import { MatWriter } from '../../support/mat.js'

/** Codes of the number types that an element may hold. */
const TYPES = {
  int8: 1,
  uint8: 2,
  int16: 3,
  uint16: 4,
  int32: 5,
  uint32: 6,
  single: 7,
  double: 9,
  int64: 12,
  uint64: 13,
}

t.test('every number type, both byte orders, compressed or not', async (t) => {
  const path = join(t.testdir(), 'numbers.mat')
  for (const little of [true, false]) {
    for (const [name, type] of Object.entries(TYPES)) {
      for (const packed of [false, true]) {
        const mat = new MatWriter(little)
        const wrap = (element: Buffer) => (packed ? mat.compressed(element) : element)
        const x = mat.dense('X', [2, 3], [1, 4, 2, 5, 3, 100], type)
        const y = mat.dense('Y', [2, 1], [7, 3], type)
        writeFileSync(path, mat.add(wrap(x), mat.text('note', 'hello'), wrap(y)).bytes())
        const raw = await readMatSamples(path)
        const which = `${name}, ${little ? 'little' : 'big'} endian${packed ? ', compressed' : ''}`
        t.same([raw.samples, raw.features], [2, 3])
        t.same(Array.from(raw.values), [1, 2, 3, 4, 5, 100], which)
        t.same([...raw.labels!], [7, 3], which)
        t.ok(raw.values.buffer instanceof SharedArrayBuffer)
      }
    }
  }
})

t.test('sparse matrices', async (t) => {
  const path = join(t.testdir(), 'sparse.mat')
  for (const little of [true, false]) {
    const mat = new MatWriter(little)
    // Column 0: 5 in row 1; column 1: empty; column 2: -1 in row 0 and 2.5 in row 2.
    const x = mat.sparse('X', [3, 3], [1, 0, 2], [0, 1, 1, 3], [5, -1, 2.5])
    writeFileSync(path, mat.add(mat.compressed(x), mat.dense('Y', [1, 3], [1, 2, 1])).bytes())
    const raw = await readMatSamples(path)
    t.same(Array.from(raw.values), [0, 0, -1, 5, 0, 0, 0, 0, 2.5])
    t.same([...raw.labels!], [1, 2, 1])
  }
})

t.test('sparse matrices that lie', async (t) => {
  const path = join(t.testdir(), 'lies.mat')
  const read = (shape: number[], rows: number[], offsets: number[], values: number[]) => {
    const mat = new MatWriter(true)
    writeFileSync(path, mat.add(mat.sparse('X', shape, rows, offsets, values)).bytes())
    return readMatSamples(path, { labels: null })
  }
  t.same(Array.from((await read([2, 1], [1], [0, 1], [9])).values), [0, 9], 'as it should be')
  const cases: [string, () => Promise<unknown>][] = [
    ['a row beyond the matrix', () => read([2, 1], [2], [0, 1], [9])],
    ['a negative row', () => read([2, 1], [-1], [0, 1], [9])],
    ['more entries than there are', () => read([2, 1], [1], [0, 5], [9])],
    ['offsets that fall', () => read([2, 3], [1, 1], [0, 2, 1, 2], [9, 9])],
    ['offsets that do not start at 0', () => read([2, 1], [1], [1, 1], [9])],
    ['too few offsets', () => read([2, 3], [1], [0, 1], [9])],
    ['a negative size', () => read([-2, 1], [1], [0, 1], [9])],
  ]
  for (const [what, attempt] of cases) {
    t.comment(what)
    await rejectsWith(t, attempt(), 'ERR_ESPALIER_FORMAT', path, /at byte \d+/)
  }
  const large = read([2 ** 31 - 1, 1], [1], [0, 1], [9])
  await rejectsWith(t, large, 'ERR_ESPALIER_MEMORY', path, '2147483647 x 1 values of a sparse matrix')
})

t.test('dense matrices that lie, and matrices that are not numbers', async (t) => {
  const path = join(t.testdir(), 'lies.mat')
  const mat = new MatWriter(true)
  const read = (...elements: Buffer[]) => {
    writeFileSync(path, new MatWriter(true).add(...elements).bytes())
    return readMatSamples(path, { labels: null })
  }
  const format = 'ERR_ESPALIER_FORMAT'
  await rejectsWith(t, read(mat.dense('X', [3, 3], [1, 2])), format, path, '3 x 3', '2 are there')
  await rejectsWith(t, read(mat.dense('X', [2 ** 31 - 1, 2 ** 31 - 1], [1])), format, 'impossible size')
  await rejectsWith(t, read(mat.dense('X', [1, 1, 2], [1, 2])), format, '3 dimensions')
  await rejectsWith(t, read(mat.dense('X', [1, 2], [1, 2], 9, 0x0800)), format, 'complex')
  await rejectsWith(t, read(mat.text('X', 'hi')), format, 'char')
  await rejectsWith(t, read(mat.dense('A', [1, 1], [1])), 'ERR_ESPALIER_NOT_FOUND', path, '"X"', 'A')
  const long = mat.dense('X', [1, 2], [1, 2])
  long.writeUInt32LE(0xfffffff0, 4)
  await rejectsWith(t, read(long), format, 'at byte 128', '4294967280')
  const inner = mat.compressed(long)
  await rejectsWith(t, read(inner), format, 'decompressed element that starts at byte 136')
})

t.test('other MAT versions', async (t) => {
  const path = join(t.testdir(), 'other.mat')
  const bytes = new MatWriter(true).bytes()
  bytes.writeUInt16LE(0x0200, 124)
  writeFileSync(path, bytes)
  await rejectsWith(t, readMatSamples(path), 'ERR_ESPALIER_FORMAT', path, '7.3', '-v7')
  writeFileSync(path, Buffer.alloc(200))
  await rejectsWith(t, readMatSamples(path), 'ERR_ESPALIER_FORMAT', path, 'byte 126')
})

t.test('a compressed matrix that unpacks to far more than its size', async (t) => {
  const path = join(t.testdir(), 'bomb.mat')
  const mat = new MatWriter(true)
  const bomb = mat.compressed(mat.element(14, Buffer.alloc(160 * 2 ** 20)))
  writeFileSync(path, mat.add(bomb).bytes())
  await rejectsWith(t, readMatSamples(path), 'ERR_ESPALIER_MEMORY', path, 'maxBytes')
})

t.test('cut or changed anywhere', async (t) => {
  const path = join(t.testdir(), 'small.mat')
  const mat = new MatWriter(true)
  const x = mat.sparse('X', [2, 2], [1, 0], [0, 1, 2], [5, 6])
  const bytes = mat.add(x, mat.compressed(mat.dense('Y', [2, 1], [1, 2], 2))).bytes()
  await refusesEveryCut(t, path, bytes, () => readMatSamples(path))
  await survivesEveryChange(t, path, bytes, () => readMatSamples(path))
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { budgetFor } from '../../../lib/data/readers/bytes.js'
import { readNpySamples, readNpy as readNpyWithin } from '../../../lib/data/readers/npy.js'
import { refusesEveryCut, rejectsWith, survivesEveryChange } from '../../support/data.js'

const readNpy = async (path: string) => readNpyWithin(await budgetFor(path))

/** A .npy file with any header text. */
function npyWithHeader(header: string, data: Buffer, version = 1): Buffer {
  const start = version === 1 ? 10 : 12
  const text = `${header.padEnd(64 - start - 1)}\n`
  const prefix = Buffer.alloc(start)
  prefix.write('\x93NUMPY', 'latin1')
  prefix[6] = version
  if (version === 1) prefix.writeUInt16LE(text.length, 8)
  else prefix.writeUInt32LE(text.length, 8)
  return Buffer.concat([prefix, Buffer.from(text), data])
}

function npy(descr: string, shape: string, data: Buffer, fortran = false, version = 1): Buffer {
  const order = fortran ? 'True' : 'False'
  return npyWithHeader(`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`, data, version)
}

/** Type, three values, and how a value is written. */
const TYPES: [string, number[], (view: DataView, at: number, value: number, little: boolean) => void][] = [
  ['b1', [0, 1, 1], (v, at, x) => v.setUint8(at, x)],
  ['u1', [0, 200, 255], (v, at, x) => v.setUint8(at, x)],
  ['i1', [-128, 0, 127], (v, at, x) => v.setInt8(at, x)],
  ['u2', [0, 258, 65535], (v, at, x, le) => v.setUint16(at, x, le)],
  ['i2', [-32768, 258, 32767], (v, at, x, le) => v.setInt16(at, x, le)],
  ['u4', [0, 16909060, 4294967295], (v, at, x, le) => v.setUint32(at, x, le)],
  ['i4', [-2147483648, 16909060, 3], (v, at, x, le) => v.setInt32(at, x, le)],
  ['u8', [0, 2 ** 40, 2 ** 53], (v, at, x, le) => v.setBigUint64(at, BigInt(x), le)],
  ['i8', [-(2 ** 53), 0, 2 ** 40], (v, at, x, le) => v.setBigInt64(at, BigInt(x), le)],
  ['f4', [-1.5, 0.25, 2 ** 100], (v, at, x, le) => v.setFloat32(at, x, le)],
  ['f8', [-1.5, 0.1, 1e300], (v, at, x, le) => v.setFloat64(at, x, le)],
]

t.test('every type, both byte orders, every version', async (t) => {
  const path = join(t.testdir(), 'numbers.npy')
  for (const [type, values, write] of TYPES) {
    const size = Number(type.slice(1))
    for (const order of ['<', '>', ...(size === 1 ? ['|'] : [])]) {
      const data = Buffer.alloc(3 * size)
      const view = new DataView(data.buffer, data.byteOffset)
      values.forEach((value, i) => {
        write(view, i * size, value, order !== '>')
      })
      for (const version of [1, 2, 3]) {
        writeFileSync(path, npy(order + type, '(3,)', data, false, version))
        const array = await readNpy(path)
        t.same(Array.from(array.values), values, `${order}${type} in version ${version}`)
      }
    }
  }
})

t.test('half floats', async (t) => {
  const path = join(t.testdir(), 'half.npy')
  const bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x3555]
  const data = Buffer.alloc(12)
  bits.forEach((value, i) => {
    data.writeUInt16LE(value, 2 * i)
  })
  writeFileSync(path, npy('<f2', '(6,)', data))
  t.same(Array.from((await readNpy(path)).values), [1, -2, 65504, 2 ** -24, -0, 0.333251953125])
})

t.test('C and Fortran order give the same samples', async (t) => {
  const directory = t.testdir()
  const c = join(directory, 'c.npy')
  const fortran = join(directory, 'f.npy')
  writeFileSync(c, npy('|u1', '(2, 3)', Buffer.from([1, 2, 3, 4, 5, 6])))
  writeFileSync(fortran, npy('|u1', '(2, 3)', Buffer.from([1, 4, 2, 5, 3, 6]), true))
  for (const path of [c, fortran]) {
    const raw = await readNpySamples(path, undefined)
    t.same([raw.samples, raw.features], [2, 3])
    t.same(Array.from(raw.values), [1, 2, 3, 4, 5, 6])
    t.ok(raw.values.buffer instanceof SharedArrayBuffer)
  }
  const cube = join(directory, 'cube.npy')
  // a[i, j, k] = 100 i + 10 j + k of shape (2, 2, 3)
  const inFortranOrder = [0, 100, 10, 110, 1, 101, 11, 111, 2, 102, 12, 112]
  writeFileSync(cube, npy('|u1', '(2, 2, 3)', Buffer.from(inFortranOrder), true))
  const raw = await readNpySamples(cube, undefined)
  t.same(Array.from(raw.values), [0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112])
  t.same(raw.imageShape, [2, 3])
})

t.test('headers that lie, and types that are not numbers', async (t) => {
  const path = join(t.testdir(), 'lies.npy')
  const read = (bytes: Buffer) => {
    writeFileSync(path, bytes)
    return readNpy(path)
  }
  const data = Buffer.alloc(8)
  await rejectsWith(t, read(npy('<f4', '(3,)', data)), 'ERR_ESPALIER_FORMAT', path, '12 bytes', 'but 8')
  await rejectsWith(t, read(npy('<f4', '(1,)', data)), 'ERR_ESPALIER_FORMAT', path)
  const overflow = '(4294967296, 4294967296)'
  await rejectsWith(t, read(npy('<f4', overflow, data)), 'ERR_ESPALIER_FORMAT', 'far too many')
  await rejectsWith(t, read(npy('<f4', '(99999999999999999999,)', data)), 'ERR_ESPALIER_FORMAT')
  await rejectsWith(t, read(npy('<f4', '(-2,)', data)), 'ERR_ESPALIER_FORMAT', 'shape')
  for (const descr of ['|O', '<c8', '<U2', '|S8', '<M8', '<f16']) {
    await rejectsWith(t, read(npy(descr, '(1,)', data)), 'ERR_ESPALIER_FORMAT', descr)
  }
  const record = `{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }`
  await rejectsWith(t, read(npyWithHeader(record, data)), 'ERR_ESPALIER_FORMAT', 'type')
  await rejectsWith(t, read(npy('<f4', '(2,)', data, false, 4)), 'ERR_ESPALIER_FORMAT', 'version 4', 'byte 6')
  const long = npy('<f4', '(2,)', data, false, 2)
  long.writeUInt32LE(0xffffffff, 8)
  await rejectsWith(t, read(long), 'ERR_ESPALIER_FORMAT', 'byte 8', '4294967295')
})

t.test('cut or changed anywhere', async (t) => {
  const path = join(t.testdir(), 'small.npy')
  const bytes = npy('<i2', '(2, 2)', Buffer.from([...Array(8).keys()]))
  await refusesEveryCut(t, path, bytes, () => readNpy(path))
  await survivesEveryChange(t, path, bytes, () => readNpySamples(path, undefined))
})

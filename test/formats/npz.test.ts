import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { type NumpyArray, readNpy, readNpz, writeNpy, writeNpz } from '../../lib/index.js'
import { refusesEveryCut, rejectsWith, survivesEveryChange } from '../support/data.js'
import { type Entry, zipOf } from '../support/zip.js'

const types = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
] as const

const array = fc
  .record({
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    type: fc.constantFrom(...types),
    seed: fc.nat(255),
  })
  .map(({ shape, type, seed }): NumpyArray => {
    const data = new type(shape.reduce((product, side) => product * side, 1))
    for (let i = 0; i < data.length; i++)
      data[i] = (
        data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(seed + i) : seed + i
      ) as never
    return { shape, data }
  })

/** A .npy file with this header. */
function npy(header: string, data: Uint8Array): Buffer {
  const text = `${header.padEnd(117)}\n`
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'), Buffer.from(text), data])
}
const plain = (descr: string, shape: string, data: Uint8Array) =>
  npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`, data)
const one = plain('|u1', '(1,)', Uint8Array.of(7))

t.test('what is written is read again, alone and in an archive', async (t) => {
  const folder = t.testdir()
  const [alone, archive] = [join(folder, 'a.npy'), join(folder, 'a.npz')]
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^[a-z0-9._]+[a-z]$/), array),
      fc.boolean(),
      async (arrays, compress) => {
        await writeNpz(archive, arrays, { compress })
        t.strictSame([...(await readNpz(archive))], Object.entries(arrays))
        for (const given of Object.values(arrays)) {
          await writeNpy(alone, given)
          t.strictSame(await readNpy(alone), given)
        }
      },
    ),
    { numRuns: 40 },
  )
})

t.test('the bytes of a .npy file are those of NumPy', async (t) => {
  const file = join(t.testdir(), 'known.npy')
  await writeNpy(file, { shape: [2], data: Uint8Array.of(1, 0), boolean: true })
  const bytes = readFileSync(file)
  t.equal(bytes.length, 130, 'the data begins at a multiple of 64')
  const header = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }"
  t.equal(bytes.toString('latin1'), `\x93NUMPY\x01\x00\x76\x00${header.padEnd(117)}\n\x01\x00`)
  t.strictSame(await readNpy(file), { shape: [2], data: Uint8Array.of(1, 0), boolean: true })
})

t.test('Fortran order, big-endian and half floats come out like any other', async (t) => {
  const file = join(t.testdir(), 'odd.npy')
  const header = (descr: string) => `{'descr': '${descr}', 'fortran_order': True, 'shape': (2, 3), }`
  writeFileSync(file, npy(header('>i2'), Uint8Array.of(0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6)))
  t.strictSame(await readNpy(file), { shape: [2, 3], data: Int16Array.of(1, 2, 3, 4, 5, 6) })
  writeFileSync(file, npy(header('<i8'), new Uint8Array(BigInt64Array.of(1n, 4n, 2n, 5n, 3n, -6n).buffer)))
  t.strictSame(await readNpy(file), { shape: [2, 3], data: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, -6n) })
  writeFileSync(file, plain('<f2', '(2,)', Uint8Array.of(0, 0x3c, 0, 0xc0)))
  t.strictSame(await readNpy(file), { shape: [2], data: Float32Array.of(1, -2) })
})

t.test('archives that lie are refused', async (t) => {
  const file = join(t.testdir(), 'lie.npz')
  const entry = { name: 'a.npy', bytes: one }
  const zeros = plain('<f8', '(9000000,)', new Uint8Array(72_000_000))
  const lies: [what: string, entries: Entry[], message: RegExp][] = [
    ['a name twice', [entry, entry], /lie\.npz: entry "a\.npy" at byte 16\d: the name is there twice/],
    ['encrypted', [{ ...entry, flags: 1 }], /entry "a\.npy" at byte 0: it is encrypted/],
    ['an unknown compression', [{ ...entry, method: 14 }], /compression method 14; 0 \(none\) and 8/],
    ['a path out of the archive', [{ ...entry, name: '../a.npy' }], /invalid relative path: \.\.\/a\.npy/],
    ['a path of Windows', [{ ...entry, name: 'b\\a.npy' }], /invalid characters in fileName/],
    ['an absolute path', [{ ...entry, name: '/a.npy' }], /absolute path/],
    ['something else', [{ ...entry, name: 'a.txt' }], /entry "a\.txt" at byte 0: not a NumPy array/],
    ['a larger size', [{ ...entry, size: 500 }], /entry "a\.npy" at byte 0:/],
    [
      'a larger size, deflated',
      [{ ...entry, deflate: true, size: 500 }],
      /entry "a\.npy" at byte 0: .*bytes/,
    ],
    [
      'a smaller size, deflated',
      [{ ...entry, deflate: true, size: 100 }],
      /entry "a\.npy" at byte 0: .*bytes/,
    ],
    [
      'a wrong checksum',
      [{ ...entry, crc: 1 }],
      /entry "a\.npy" at byte 0: its CRC-32 is [0-9a-f]+, and 1 was/,
    ],
    [
      'an object',
      [{ name: 'o.npy', bytes: plain('|O', '(1,)', Buffer.from('\x80\x03K\x01.', 'latin1')) }],
      /at byte 10 of entry "o\.npy": the type '\|O' cannot be read/,
    ],
    [
      'a bool of 2',
      [{ name: 'b.npy', bytes: plain('|b1', '(2,)', Uint8Array.of(1, 2)) }],
      /at byte 128 of entry "b\.npy": element 1 of a bool array is 2/,
    ],
  ]
  for (const [what, entries, message] of lies) {
    writeFileSync(file, zipOf(entries))
    await t.rejects(readNpz(file), { code: 'ERR_ESPALIER_FORMAT', message }, what)
  }
  writeFileSync(file, zipOf([{ ...entry, size: 0xfffffffe }]))
  await rejectsWith(t, readNpz(file), 'ERR_ESPALIER_MEMORY', file, '4294967294', 'option "maxBytes"')
  writeFileSync(file, zipOf([{ name: 'a.npy', bytes: zeros, deflate: true }]))
  await rejectsWith(t, readNpz(file, { maxBytes: 2 ** 25 }), 'ERR_ESPALIER_MEMORY', file, 'maxBytes')
  t.equal((await readNpz(file, { maxBytes: 2 ** 28 })).get('a')!.data.length, 9_000_000)
  await rejectsWith(t, readNpz(file, { maxBytes: -1 }), 'ERR_ESPALIER_OPTION', 'maxBytes')
})

/** The archive with the records of ZIP64 before its end. */
function zip64(archive: Buffer, recordOffset: bigint, entries: bigint, directory: bigint): Buffer {
  const end = archive.length - 22
  const record = Buffer.alloc(56)
  record.write('PK\x06\x06', 'latin1')
  record.writeBigUInt64LE(entries, 32)
  record.writeBigUInt64LE(directory, 48)
  const locator = Buffer.alloc(20)
  locator.write('PK\x06\x07', 'latin1')
  locator.writeBigUInt64LE(recordOffset, 8)
  return Buffer.concat([archive.subarray(0, end), record, locator, archive.subarray(end)])
}

t.test('ZIP64, and places in it that no file has', async (t) => {
  const file = join(t.testdir(), 'large.npz')
  const archive = zipOf([{ name: 'a.npy', bytes: one }])
  const record = BigInt(archive.length - 22)
  const directory = BigInt(archive.readUInt32LE(archive.length - 6))
  writeFileSync(file, zip64(archive, record, 1n, directory))
  t.equal((await readNpz(file)).get('a')!.data[0], 7)
  const far = 0x3061_0000_0000_0000n
  for (const bytes of [
    zip64(archive, far, 1n, directory),
    zip64(archive, record, 1n, far),
    zip64(archive, record, 2n, directory),
    zip64(archive, 2n ** 64n - 1n, 2n ** 64n - 1n, 2n ** 64n - 1n),
  ]) {
    writeFileSync(file, bytes)
    await rejectsWith(t, readNpz(file), 'ERR_ESPALIER_FORMAT', file)
  }
})

t.test('headers that would keep a reader busy for ever', async (t) => {
  const file = join(t.testdir(), 'busy.npy')
  // A pattern that tries every way to cut these digits into numbers needs longer than the universe has.
  writeFileSync(file, plain('|u1', `(${'1'.repeat(60)}`, Uint8Array.of(1)))
  await rejectsWith(t, readNpy(file), 'ERR_ESPALIER_FORMAT', 'shape')
  const sides = `(${'1,'.repeat(65)})`
  const text = `{'descr': '|u1', 'fortran_order': True, 'shape': ${sides}, }`.padEnd(245)
  const start = Buffer.from('\x93NUMPY\x01\x00\xf6\x00', 'latin1')
  writeFileSync(file, Buffer.concat([start, Buffer.from(`${text}\n`), Uint8Array.of(1)]))
  await rejectsWith(t, readNpy(file), 'ERR_ESPALIER_FORMAT', '65 dimensions; allowed: 64')
})

t.test('cut or changed anywhere', async (t) => {
  const file = join(t.testdir(), 'small.npz')
  const bytes = zipOf([
    { name: 'a.npy', bytes: one },
    { name: 'b.npy', bytes: one, deflate: true },
  ])
  await refusesEveryCut(t, file, bytes, () => readNpz(file))
  await survivesEveryChange(t, file, bytes, () => readNpz(file))
})

t.test('what cannot be written', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'never.npz')
  const write = (name: string, given: NumpyArray) => writeNpz(file, new Map([[name, given]]))
  const good = { shape: [1], data: Float32Array.of(1) }
  for (const name of ['../a', '/a', 'C:a', 'a/../../b']) {
    await rejectsWith(t, write(name, good), 'ERR_ESPALIER_OPTION', 'cannot be used')
  }
  await rejectsWith(
    t,
    write('a', { ...good, shape: [2] }),
    'ERR_ESPALIER_OPTION',
    '"a"',
    'shape [2] with 1 element',
  )
  await rejectsWith(t, write('a', { ...good, shape: [-1, -1] }), 'ERR_ESPALIER_OPTION', 'shape [-1, -1]')
  await rejectsWith(t, write('a', { ...good, boolean: true }), 'ERR_ESPALIER_OPTION', 'Uint8Array of 0 and 1')
  await rejectsWith(t, writeNpz(join(folder, 'no', 'a.npz'), {}), 'ERR_ESPALIER_FILE')
  await rejectsWith(t, readNpz(file), 'ERR_ESPALIER_NOT_FOUND', file)
  await rejectsWith(t, readNpz(folder), 'ERR_ESPALIER_FILE', 'not a file')
})

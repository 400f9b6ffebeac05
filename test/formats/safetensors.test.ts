import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  readSafetensors,
  type Tensor,
  type TensorData,
  writeSafetensors,
} from '../../lib/formats/safetensors.js'

const folder = t.testdir()
const at = (name: string) => path.join(folder, name)
let files = 0

/** A file with this header text, padded if asked for, and so many bytes of data. */
function fileOf(header: unknown, dataLength = 0): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return rawFile(Buffer.concat([length, json, Buffer.alloc(dataLength)]))
}

function rawFile(bytes: Uint8Array): string {
  const file = at(`lie-${files++}.safetensors`)
  writeFileSync(file, bytes)
  return file
}

const side = fc.integer({ min: 0, max: 4 })
const tensor = fc
  .record({
    name: fc.string({ minLength: 1, maxLength: 12 }),
    shape: fc.array(side, { maxLength: 4 }),
    type: fc.constantFrom(Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array),
    seed: fc.nat(255),
  })
  .map(({ name, shape, type, seed }): Tensor => {
    const data = new type(shape.reduce((product, count) => product * count, 1)) as TensorData
    new Uint8Array(data.buffer).forEach((_, i, bytes) => {
      bytes[i] = (i * 37 + seed) & 255
    })
    return { name, shape, data }
  })
const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 })
const metadata = fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 20 }), {
  noNullPrototype: true,
})

const bytesOf = ({ data }: Tensor) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')

t.test('what is written is read again, bit for bit', async (t) => {
  const file = at('round.safetensors')
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (given, notes) => {
      const kept = given.filter(({ name }) => name !== '__metadata__')
      await writeSafetensors(file, kept, notes)
      const read = await readSafetensors(file)
      const describe = (tensor: Tensor) => [
        tensor.name,
        tensor.shape,
        tensor.data.constructor.name,
        bytesOf(tensor),
      ]
      const byName = (list: readonly Tensor[]) =>
        new Map(list.map((tensor) => [tensor.name, describe(tensor)]))
      t.strictSame(byName(read.tensors), byName(kept))
      t.strictSame(Object.entries(read.metadata).sort(), Object.entries(notes).sort())
    }),
    { numRuns: 60 },
  )
})

t.test('the bytes are those of the specification, and aligned', async (t) => {
  const file = at('known.safetensors')
  await writeSafetensors(
    file,
    [
      { name: 'flag', shape: [], data: Uint8Array.of(7) },
      { name: 'bias', shape: [1], data: Float32Array.of(1.5) },
      { name: 'rows', shape: [2], data: BigInt64Array.of(0n, 3n) },
    ],
    { note: 'x' },
  )
  const bytes = readFileSync(file)
  const length = Number(bytes.readBigUInt64LE(0))
  t.equal(length % 8, 0, 'the data begins at a multiple of 8')
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length))
  t.strictSame(header, {
    __metadata__: { note: 'x' },
    rows: { dtype: 'I64', shape: [2], data_offsets: [0, 16] },
    bias: { dtype: 'F32', shape: [1], data_offsets: [16, 20] },
    flag: { dtype: 'U8', shape: [], data_offsets: [20, 21] },
  })
  t.equal(bytes.readBigInt64LE(8 + length + 8), 3n)
  t.equal(bytes.readFloatLE(8 + length + 16), 1.5)
  t.equal(bytes.length, 8 + length + 21)
})

t.test('a view into a larger buffer is written as itself', async (t) => {
  const whole = Float32Array.of(1, 2, 3, 4)
  const file = at('view.safetensors')
  await writeSafetensors(file, [{ name: 'part', shape: [2], data: whole.subarray(1, 3) }])
  t.strictSame((await readSafetensors(file)).tensors[0]!.data, Float32Array.of(2, 3))
})

t.test('half floats and booleans, as PyTorch writes them, are widened', async (t) => {
  const header = {
    half: { dtype: 'F16', shape: [2], data_offsets: [0, 4] },
    brain: { dtype: 'BF16', shape: [2], data_offsets: [4, 8] },
    mask: { dtype: 'BOOL', shape: [2], data_offsets: [8, 10] },
  }
  const file = fileOf(header, 10)
  const bytes = readFileSync(file)
  bytes.set([0x00, 0x3c, 0x00, 0xc0, 0x80, 0x3f, 0x40, 0xc0, 1, 0], bytes.length - 10)
  writeFileSync(file, bytes)
  const { tensors } = await readSafetensors(file)
  t.strictSame(
    tensors.map(({ data }) => data),
    [Float32Array.of(1, -2), Float32Array.of(1, -3), Uint8Array.of(1, 0)],
  )
})

t.test('a file cut off at any byte is an error that names the file and the offset', async (t) => {
  const file = at('small.safetensors')
  await writeSafetensors(file, [{ name: 'a', shape: [3], data: Float32Array.of(1, 2, 3) }], { note: 'short' })
  const bytes = readFileSync(file)
  const cut = at('cut.safetensors')
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(cut, bytes.subarray(0, length))
    const message = /^.*cut\.safetensors: (at byte \d+|.*\[\d+, \d+\], but the file holds)/
    await t.rejects(readSafetensors(cut), { code: 'ERR_ESPALIER_FORMAT', message }, `${length} bytes`)
  }
})

t.test('a byte changed anywhere is read or refused, never a crash', async (t) => {
  const file = at('flip.safetensors')
  await writeSafetensors(file, [{ name: 'a', shape: [1, 2], data: Int32Array.of(1, 2) }], { n: 'é' })
  const bytes = readFileSync(file)
  for (let i = 0; i < bytes.length; i++) {
    for (const flip of [0x01, 0x10, 0x80]) {
      const changed = Buffer.from(bytes)
      changed[i] = changed[i]! ^ flip
      writeFileSync(file, changed)
      const code = await readSafetensors(file).then(
        () => 'read',
        (error) => error.code,
      )
      if (code !== 'read' && code !== 'ERR_ESPALIER_FORMAT') t.fail(`byte ${i} ^ ${flip}: ${code}`)
    }
  }
  t.pass('all of them')
})

const entry = (dtype: unknown, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets })
const lies: [name: string, file: () => string, message: RegExp][] = [
  ['an empty file', () => rawFile(Buffer.alloc(0)), /at byte 0: the file has 0 bytes/],
  [
    'a header length of 2^64 - 1',
    () => rawFile(Buffer.alloc(16, 0xff)),
    /at byte 0: the header length is 18446744073709551615, but only 8 bytes follow/,
  ],
  ['a header that is not JSON', () => fileOf('{"a":'), /at byte 8: the header is not JSON/],
  ['a header that is a list', () => fileOf('[]'), /at byte 8: the header is not a JSON object/],
  [
    'a tensor twice',
    () =>
      fileOf(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
    /at byte 61: the header names "a" twice/,
  ],
  [
    'a tensor twice, once escaped',
    () =>
      fileOf(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
    /names "a" twice/,
  ],
  [
    'a shape twice',
    () => fileOf('{"a":{"dtype":"U8","shape":[2],"shape":[1],"data_offsets":[0,1]}}', 1),
    /names "shape" twice/,
  ],
  [
    'metadata that is no object',
    () => fileOf({ __metadata__: 'x' }),
    /__metadata__ is not an object of strings/,
  ],
  [
    'metadata of numbers',
    () => fileOf({ __metadata__: { a: 1 } }),
    /__metadata__ is not an object of strings/,
  ],
  ['a tensor that is a number', () => fileOf({ a: 1 }), /tensor "a": its description is not an object/],
  [
    'an unknown dtype',
    () => fileOf({ a: entry('F8', [1], [0, 1]) }, 1),
    /dtype is "F8"; allowed: I64, F64, I32, F32, U8, F16, BF16, BOOL/,
  ],
  [
    'a dtype of lists in lists',
    () => fileOf(`{"a":{"dtype":${'['.repeat(9999)}${']'.repeat(9999)}}}`),
    /dtype is \[\[\[an array\]\]\]; allowed/,
  ],
  [
    'no dtype',
    () => fileOf({ a: { shape: [1], data_offsets: [0, 1] } }, 1),
    /tensor "a": dtype is undefined/,
  ],
  ['a negative side', () => fileOf({ a: entry('U8', [-1], [0, 1]) }, 1), /shape is not a list/],
  ['half a side', () => fileOf({ a: entry('U8', [0.5], [0, 1]) }, 1), /shape is not a list/],
  [
    'a side beyond 2^53',
    () => fileOf('{"a":{"dtype":"U8","shape":[1e300],"data_offsets":[0,1]}}', 1),
    /shape is not a list/,
  ],
  [
    'a shape of a thousand sides',
    () => fileOf({ a: entry('U8', Array(1000).fill(1), [0, 1]) }, 1),
    /at most 32/,
  ],
  [
    'a product that overflows 64 bits',
    () => fileOf({ a: entry('F32', [2 ** 40, 2 ** 40], [0, 0]) }),
    /takes 4835703278458516698824704 bytes/,
  ],
  [
    'a shape that is too large',
    () => fileOf({ a: entry('F32', [3], [0, 8]) }, 8),
    /F32 of shape \[3\] takes 12 bytes, but data_offsets hold 8/,
  ],
  [
    'offsets the wrong way round',
    () => fileOf({ a: entry('U8', [1], [1, 0]) }, 1),
    /data_offsets are \[1, 0\]/,
  ],
  ['one offset', () => fileOf({ a: entry('U8', [1], [1]) }, 1), /data_offsets is not a pair/],
  [
    'offsets beyond the file',
    () => fileOf({ a: entry('F32', [2], [0, 8]) }, 7),
    /the file holds 7 bytes of data/,
  ],
  [
    'tensors that overlap',
    () => fileOf({ a: entry('U8', [3], [0, 3]), b: entry('U8', [2], [2, 4]) }, 4),
    /at byte 1\d\d: tensor "b" overlaps the tensor before it/,
  ],
  [
    'a gap between tensors',
    () => fileOf({ a: entry('U8', [1], [0, 1]), b: entry('U8', [1], [3, 4]) }, 4),
    /tensor "b" leaves 2 bytes unused before it/,
  ],
  [
    'bytes behind the last tensor',
    () => fileOf({ a: entry('U8', [1], [0, 1]) }, 3),
    /2 bytes follow the last tensor/,
  ],
]

t.test('a file that lies is refused', async (t) => {
  for (const [name, file, message] of lies) {
    await t.rejects(readSafetensors(file()), { code: 'ERR_ESPALIER_FORMAT', message }, name)
  }
})

t.test('a boolean is 0 or 1', async (t) => {
  const file = fileOf({ x: entry('U8', [1], [0, 1]), mask: entry('BOOL', [3], [1, 4]) }, 4)
  const bytes = readFileSync(file)
  bytes.set([7, 0, 1, 2], bytes.length - 4)
  writeFileSync(file, bytes)
  await t.rejects(readSafetensors(file), {
    code: 'ERR_ESPALIER_FORMAT',
    message: `${file}: at byte ${bytes.length - 1}: element 2 of tensor "mask" is 2; allowed in BOOL: 0, 1`,
  })
})

t.test('a header that is not UTF-8 is refused', async (t) => {
  const file = fileOf('{"aa":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}')
  const bytes = readFileSync(file)
  bytes[10] = 0xff
  writeFileSync(file, bytes)
  await t.rejects(readSafetensors(file), {
    code: 'ERR_ESPALIER_FORMAT',
    message: /at byte 8: the header is not UTF-8/,
  })
})

t.test('a file that is not there, a folder, a pipe', async (t) => {
  await t.rejects(readSafetensors(at('absent')), {
    code: 'ERR_ESPALIER_NOT_FOUND',
    message: /absent: no such file/,
  })
  await t.rejects(readSafetensors(folder), { code: 'ERR_ESPALIER_FILE', message: /it is not a file/ })
  if (spawnSync('mkfifo', [at('pipe')]).status === 0) {
    await t.rejects(readSafetensors(at('pipe')), { code: 'ERR_ESPALIER_FILE', message: /it is not a file/ })
  }
})

t.test('a tensor that is not what it says is not written', async (t) => {
  const write = (...tensors: Tensor[]) => writeSafetensors(at('never'), tensors)
  const one = { name: 'a', shape: [1], data: Float32Array.of(1) }
  await t.rejects(write({ ...one, shape: [2] }), {
    code: 'ERR_ESPALIER_OPTION',
    message: /tensor "a" has shape \[2\] with 1 elements of Float32Array/,
  })
  const four = { name: 'a', data: new Float32Array(4) }
  for (const shape of [[-2, -2], [0.5, 8], [Number.NaN], ['4'], Array(33).fill(1), 4, undefined]) {
    const wrong = { ...four, shape } as Tensor
    await t.rejects(write(wrong), {
      code: 'ERR_ESPALIER_OPTION',
      message: /^writeSafetensors: tensor "a" has shape .*; allowed: at most 32 whole numbers >= 0/,
    })
  }
  for (const data of [[1], undefined, Uint16Array.of(1)] as never[]) {
    await t.rejects(write({ ...one, data }), {
      code: 'ERR_ESPALIER_OPTION',
      message: /tensor "a" has data .*allowed: /,
    })
  }
  await t.rejects(write({ ...one, name: 5 as never }), { code: 'ERR_ESPALIER_OPTION', message: /name is 5/ })
  await t.rejects(write(one, one), { code: 'ERR_ESPALIER_OPTION', message: /the name "a" is taken/ })
  await t.rejects(write({ ...one, name: '__metadata__' }), { code: 'ERR_ESPALIER_OPTION' })
  for (const [metadata, message] of [
    [{ a: 1 }, /metadata "a" is 1; allowed: text/],
    [{ a: undefined }, /metadata "a" is undefined/],
    [null, /metadata is null; allowed: an object of texts/],
    [['x'], /metadata is \["x"\]; allowed/],
    [{ a: 'x'.repeat(100_000_001) }, /the header has 1000000\d\d bytes; allowed: 100000000/],
  ] as [never, RegExp][]) {
    const written = writeSafetensors(at('never'), [one], metadata)
    await t.rejects(written, { code: 'ERR_ESPALIER_OPTION', message })
  }
  t.notOk(existsSync(at('never')))
})

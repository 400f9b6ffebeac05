import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { loadFile, readDataset } from '../../lib/data/file.js'
import { detectFormat } from '../../lib/data/format.js'
import { rejectsWith } from '../support/data.js'
import { MatWriter } from '../support/mat.js'

/** A small IDX file of bytes. */
function idx(shape: number[], data: number[]): Buffer {
  return Buffer.from([
    0,
    0,
    8,
    shape.length,
    ...shape.flatMap((size) => [0, 0, size >> 8, size & 255]),
    ...data,
  ])
}

function npy(descr: string, shape: string, data: Buffer): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1')
  start.writeUInt16LE(header.length, 8)
  return Buffer.concat([start, Buffer.from(header), data])
}

t.test('a folder and a named pipe are refused, and nobody waits', async (t) => {
  const directory = t.testdir()
  const refused = ['ERR_ESPALIER_FILE', 'it is not a file'] as const
  await rejectsWith(t, readDataset(directory), ...refused)
  const pipe = join(directory, 'pipe.csv')
  if (spawnSync('mkfifo', [pipe]).status !== 0) return
  await rejectsWith(t, readDataset(pipe), ...refused)
  const values = join(directory, 'x.npy')
  writeFileSync(values, npy('|u1', '(1, 1)', Buffer.of(1)))
  await rejectsWith(t, readDataset(values, { labels: pipe }), ...refused)
})

t.test('formats are known by name, else by contents', async (t) => {
  const directory = t.testdir()
  const cases: [string, Buffer | string, string][] = [
    ['a.csv', '1,2\n', 'csv'],
    ['a.tsv.gz', gzipSync('1\t2\n'), 'csv'],
    ['a.data', '1,2\n', 'csv'],
    ['a.data.gz', gzipSync('1,2\n'), 'csv'],
    ['a.svm', '1 1:2\n', 'libsvm'],
    ['a.txt', '+1 1:2 3:4\n', 'libsvm'],
    ['a.mat', new MatWriter(true).bytes(), 'mat'],
    ['a.bin', new MatWriter(false).bytes(), 'mat'],
    ['b.bin', npy('|u1', '(1,)', Buffer.from([1])), 'npy'],
    ['train-images-idx3-ubyte', idx([1], [1]), 'idx'],
    ['train-images.idx3-ubyte.gz', gzipSync(idx([1], [1])), 'idx'],
    ['c.bin', idx([1], [1]), 'idx'],
  ]
  for (const [name, bytes, format] of cases) {
    const path = join(directory, name)
    writeFileSync(path, bytes)
    t.equal(await detectFormat(path), format, name)
  }
  const strange = join(directory, 'strange')
  writeFileSync(strange, Buffer.from([1, 2, 3, 0, 5]))
  await rejectsWith(t, detectFormat(strange), 'ERR_ESPALIER_FORMAT', strange, 'known:')
  await rejectsWith(t, loadFile(join(directory, 'none.csv')), 'ERR_ESPALIER_NOT_FOUND', 'none.csv')
})

t.test('labels of any kind become classes 0, 1, ...; the names stay', async (t) => {
  const path = join(t.testdir(), 'labels.csv')
  const cases: [string[], number[], string[]][] = [
    [
      ['3', '1', '2', '3'],
      [2, 0, 1, 2],
      ['1', '2', '3'],
    ],
    [
      ['1', '-1', '-1', '1'],
      [1, 0, 0, 1],
      ['-1', '1'],
    ],
    [
      ['10', '9.5', '100', '9.5'],
      [1, 0, 2, 0],
      ['9.5', '10', '100'],
    ],
    [
      ['b', 'a', 'C', 'b'],
      [2, 1, 0, 2],
      ['C', 'a', 'b'],
    ],
    [
      ['1.0', '1', '2', '2.00'],
      [0, 0, 1, 1],
      ['1', '2'],
    ],
  ]
  for (const [given, labels, names] of cases) {
    writeFileSync(path, given.map((label, i) => `${i},${i + 1},${label}\n`).join(''))
    const data = await readDataset(path)
    t.same(Array.from(data.labels!), labels)
    t.same(data.classNames, names)
    t.equal(data.classes, names.length)
  }
})

t.test('regression', async (t) => {
  const path = join(t.testdir(), 'numbers.csv')
  writeFileSync(path, Array.from({ length: 300 }, (_, i) => `${i},${i * 0.5}\n`).join(''))
  await rejectsWith(
    t,
    readDataset(path),
    'ERR_ESPALIER_DATA',
    path,
    '300 different labels',
    "task 'regression'",
  )
  const data = await readDataset(path, { task: 'regression' })
  t.same([data.classes, data.outputs, data.labels], [0, 1, undefined])
  t.same(Array.from(data.targets!.slice(0, 3)), [0, 0.5, 1])
  const split = await loadFile(path, { task: 'regression' })
  t.same([split.train.samples, split.test.samples], [240, 60])
})

t.test('a file without a test file is divided; both parts are scaled by the training part', async (t) => {
  const path = join(t.testdir(), 'table.csv')
  writeFileSync(path, Array.from({ length: 100 }, (_, i) => `${i},7,${i % 2}\n`).join(''))
  const { train, test, scaling } = await loadFile(path, { seed: 5 })
  t.same([train.samples, test.samples], [80, 20])
  t.equal(test.labels!.filter((label) => label === 1).length, 10)
  t.equal(train.name, 'table')
  t.equal(scaling!.method, 'standard')
  const mean = train.values.reduce((sum, value) => sum + value, 0)
  t.ok(Math.abs(mean) < 1e-3)
  t.ok(
    train.values.every((value, i) => i % 2 === 0 || value === 0),
    'the constant feature',
  )
  t.same(await loadFile(path, { seed: 5 }), { train, test, scaling })
  t.notSame((await loadFile(path, { seed: 6 })).test, test)
  t.equal((await loadFile(path, { testFraction: 0.5 })).test.samples, 50)
  const raw = await loadFile(path, { scaling: 'none' })
  t.equal(raw.scaling, undefined)
  t.ok(raw.train.values.every((value, i) => i % 2 === 0 || value === 7))
  t.equal((await loadFile(path, { scaling: 'minmax' })).scaling!.method, 'minmax')
})

t.test('a test file shares labels, categories and width with the training file', async (t) => {
  const directory = t.testdir()
  const write = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const train = write('train.csv', 'c,y\nred,a\nblue,b\nred,c\n')
  const test = write('test.csv', 'c,y\nblue,c\n')
  const table = await loadFile(train, { testFile: test, scaling: 'none' })
  t.same(Array.from(table.test.values), [1, 0])
  t.same(Array.from(table.test.labels!), [2])
  t.same(table.test.classNames, ['a', 'b', 'c'])
  const sparse = await loadFile(write('a.svm', '1 1:5\n2 2:1\n'), { testFile: write('b.svm', '2 4:7\n') })
  t.equal(sparse.train.features, 4)
  const wide = loadFile(train, { testFile: write('wide.csv', 'c,d,y\nred,1,a\n') })
  await rejectsWith(t, wide, 'ERR_ESPALIER_FORMAT', 'wide.csv', '3 columns')
})

t.test('IDX and NumPy files find their companions', async (t) => {
  const directory = t.testdir()
  const write = (name: string, bytes: Buffer) => {
    writeFileSync(join(directory, name), bytes)
    return join(directory, name)
  }
  const images = write('train-images-idx3-ubyte', idx([2, 1, 2], [1, 2, 3, 4]))
  await rejectsWith(
    t,
    loadFile(images),
    'ERR_ESPALIER_NOT_FOUND',
    images,
    'train-labels-idx1-ubyte',
    '"labels"',
  )
  write('train-labels-idx1-ubyte', idx([2], [5, 6]))
  write('t10k-images-idx3-ubyte', idx([1, 1, 2], [9, 9]))
  write('t10k-labels-idx1-ubyte', idx([1], [6]))
  const split = await loadFile(images, { scaling: 'none' })
  t.same([split.train.samples, split.test.samples], [2, 1])
  t.same(Array.from(split.test.labels!), [1])
  t.same(split.train.imageShape, [1, 2])
  t.equal((await loadFile(images)).scaling!.method, 'standard-global', 'pixels share one scale')

  const x = write('X_train.npy', npy('|u1', '(2, 2)', Buffer.from([1, 2, 3, 4])))
  write('y_train.npy', npy('|i1', '(2,)', Buffer.from([1, 0])))
  write('X_test.npy', npy('|u1', '(1, 2)', Buffer.from([5, 6])))
  write('y_test.npy', npy('|i1', '(1,)', Buffer.from([1])))
  const arrays = await loadFile(x, { scaling: 'none' })
  t.same(Array.from(arrays.train.labels!), [1, 0])
  t.same(Array.from(arrays.test.values), [5, 6])
  mkdirSync(join(directory, 'other'))
  const labels = write('other/odd.npy', npy('|i1', '(3,)', Buffer.from([1, 0, 1])))
  await rejectsWith(t, readDataset(x, { labels }), 'ERR_ESPALIER_DATA', x, '2 samples but 3 labels')
})

t.test('NaN and Infinity in binary files name sample and feature', async (t) => {
  const path = join(t.testdir(), 'a.npy')
  const read = (values: number[]) => {
    writeFileSync(path, npy('<f8', '(2, 2)', Buffer.from(Float64Array.from(values).buffer)))
    return readDataset(path, { label: null })
  }
  await rejectsWith(t, read([1, 2, 3, Number.NaN]), 'ERR_ESPALIER_DATA', path, 'sample 1, feature 1')
  await rejectsWith(
    t,
    read([1, Number.POSITIVE_INFINITY, 3, 4]),
    'ERR_ESPALIER_DATA',
    path,
    'sample 0, feature 1',
  )
  await rejectsWith(t, read([1, 2, 1e39, 4]), 'ERR_ESPALIER_DATA', path, 'sample 1, feature 0', 'float32')
})

t.test('options that are misspelt, or mean nothing for the format', async (t) => {
  const path = join(t.testdir(), 'table.csv')
  writeFileSync(path, '1,2\n3,4\n')
  const option = 'ERR_ESPALIER_OPTION'
  await rejectsWith(t, loadFile(path, { lable: 'a' } as object), option, '"lable"', 'did you mean "label"')
  await rejectsWith(t, loadFile(path, { seed: 0.5 }), option, '"seed" is 0.5')
  await rejectsWith(t, loadFile(path, { scaling: 'max' as 'none' }), option, '"scaling"', 'minmax')
  for (const [name, value, allowed] of [
    ['label', true, 'the name of a column, its index from 0, null for none'],
    ['label', -1, 'the name of a column'],
    ['categorical', 'a', 'an array of names of columns, or their indices from 0'],
    ['header', 'yes', 'true, false'],
    ['task', 'classify', 'classification, regression'],
    ['firstIndex', 2, '0, 1'],
    ['maxBytes', 0.5, 'a whole number, maxBytes >= 1'],
    ['testFraction', 1, '0 < testFraction < 1'],
    ['testFile', 5, 'a path'],
    ['signal', 5, 'an AbortSignal'],
  ] as const) {
    const wrong = loadFile(path, { [name]: value } as object)
    await rejectsWith(
      t,
      wrong,
      option,
      `loadFile: option "${name}" is ${JSON.stringify(value)}; `,
      `allowed: ${allowed}`,
    )
  }
  await rejectsWith(t, loadFile(path, { categorical: [true] } as object), option, '"categorical[0]" is true')
  await rejectsWith(t, readDataset(path, null as never), option, 'readDataset: options are null')
  for (const wrong of [undefined, 5, new URL('file:///a.csv')] as never[]) {
    await rejectsWith(t, readDataset(wrong), option, 'readDataset: path is ', 'allowed: the path of a file')
    await rejectsWith(t, loadFile(wrong), option, 'loadFile: path is ')
    await rejectsWith(t, detectFormat(wrong), option, 'detectFormat: path is ')
  }
  await rejectsWith(t, loadFile(path, { variable: 'X' }), option, path, '"variable"', 'csv')
  await rejectsWith(t, loadFile(path, { features: 3 }), option, path, '"features"', 'csv')
  await rejectsWith(t, loadFile(path, { testLabels: 'x' }), option, '"testLabels"')
  const signal = AbortSignal.abort(new Error('enough'))
  await t.rejects(loadFile(path, { signal }), { message: 'enough' })
})

t.test('a file that takes more than maxBytes to read is refused, in every format', async (t) => {
  const directory = t.testdir()
  const files: [string, Buffer | string, object][] = [
    ['numbers.csv', 'a,b,y\n1,2,0\n3,4,1\n', {}],
    ['texts.csv', 'a,y\nred,0\nblue,1\n', {}],
    ['rows.svm', '0 1:5\n1 2:6\n', {}],
    ['images-idx2-ubyte', idx([2, 2], [1, 2, 3, 4]), { label: null }],
    ['array.npy', npy('|u1', '(2, 2)', Buffer.from([1, 2, 3, 4])), { label: null }],
  ]
  for (const [name, bytes, options] of files) {
    const path = join(directory, name)
    writeFileSync(path, bytes)
    t.equal((await readDataset(path, { ...options, maxBytes: 2 ** 15 })).values.byteLength, 16, name)
    await rejectsWith(t, readDataset(path, { ...options, maxBytes: 15 }), 'ERR_ESPALIER_MEMORY', name, '15')
  }
})

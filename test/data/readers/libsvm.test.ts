import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { loadFile, readDataset } from '../../../lib/data/file.js'
import { densify, readLibsvm } from '../../../lib/data/readers/libsvm.js'
import { rejectsWith } from '../../support/data.js'

t.test('rows, comments, qid, gzip', async (t) => {
  const path = join(t.testdir(), 'a.libsvm')
  const text = '# head\n+1 1:0.5 4:-2 # tail\n\n-1 qid:3 2:1e2\r\n0'
  for (const bytes of [text, gzipSync(text)]) {
    writeFileSync(path, bytes)
    const [raw] = densify([await readLibsvm(path)])
    t.same([raw!.samples, raw!.features], [3, 4])
    t.same([...raw!.labels!], [1, -1, 0])
    t.same(Array.from(raw!.values), [0.5, 0, 0, -2, 0, 100, 0, 0, 0, 0, 0, 0])
  }
})

t.test('indices from 0, and parts that share their width', async (t) => {
  const directory = t.testdir()
  const train = join(directory, 'train.svm')
  const test = join(directory, 'test.svm')
  writeFileSync(train, '1 0:5 2:6\n')
  writeFileSync(test, '1 3:7\n')
  const [a, b] = densify([await readLibsvm(train), await readLibsvm(test)])
  t.same(Array.from(a!.values), [5, 0, 6, 0])
  t.same(Array.from(b!.values), [0, 0, 0, 7])
})

t.test('as many features as were told, from the index that was told', async (t) => {
  const path = join(t.testdir(), 'few.svm')
  const rows = async (text: string) => {
    writeFileSync(path, text)
    return [await readLibsvm(path)]
  }
  const few = await rows('1 1:5\n2 2:6\n')
  const [one] = densify(few, { features: 4 })
  t.same([one!.features, one!.firstIndex, Array.from(one!.values)], [4, 1, [5, 0, 0, 0, 0, 6, 0, 0]])
  const [zero] = densify(few, { features: 4, firstIndex: 0 })
  t.same([zero!.firstIndex, Array.from(zero!.values)], [0, [0, 5, 0, 0, 0, 0, 6, 0]])
  t.equal(densify(few, { firstIndex: 0 })[0]!.features, 3)
  t.equal(densify(await rows('1\n2\n'), { features: 2 })[0]!.features, 2, 'nothing but zeros')
  const refused = async (text: string, options: Parameters<typeof densify>[1], ...patterns: string[]) => {
    const sparse = await rows(text)
    const dense = Promise.resolve().then(() => densify(sparse, options))
    await rejectsWith(t, dense, 'ERR_ESPALIER_DATA', path, ...patterns)
  }
  await refused('1 3:5\n', { features: 2 }, 'the index 3', '2 features from index 1 on')
  await refused('1 2:5\n', { features: 2, firstIndex: 0 }, 'the index 2', '2 features from index 0 on')
  await refused('1 0:5\n', { firstIndex: 1 }, 'the index 0', 'from index 1 on')
  const data = await readDataset(path, { features: 5, firstIndex: 0 })
  t.same([data.features, data.firstIndex], [5, 0])
  const split = await loadFile(path, { testFile: path, features: 5, scaling: 'none' })
  t.same([split.test.features, split.test.firstIndex], [5, 0])
  await rejectsWith(t, readDataset(path, { features: 0 }), 'ERR_ESPALIER_OPTION', '"features" is 0')
  await rejectsWith(t, readDataset(path, { firstIndex: 2 as 1 }), 'ERR_ESPALIER_OPTION', '"firstIndex" is 2')
})

t.test('faults name file, line and column', async (t) => {
  const path = join(t.testdir(), 'faults.svm')
  const read = (text: string) => {
    writeFileSync(path, text)
    return readLibsvm(path)
  }
  const format = 'ERR_ESPALIER_FORMAT'
  await rejectsWith(t, read('1 1:2\nx 1:2\n'), format, path, 'line 2, column 1', '"x"')
  await rejectsWith(t, read('1 1:2 3\n'), format, path, 'line 1, column 7')
  await rejectsWith(t, read('1 1:\n'), format, path, 'line 1, column 3')
  await rejectsWith(t, read('1 :5\n'), format, path, 'line 1, column 3')
  await rejectsWith(t, read('1 1.5:5\n'), format, path)
  await rejectsWith(t, read('1 0x1:5\n'), format, path, '"0x1:5"')
  await rejectsWith(t, read('1 1:0x10\n'), format, path, '"1:0x10"')
  await rejectsWith(t, read('0b1 1:1\n'), format, path, '"0b1"')
  await rejectsWith(t, read('1 2:5 2:6\n'), format, path, 'line 1, column 7', 'above the one before')
  await rejectsWith(t, read('1 -1:5\n'), format, path)
  await rejectsWith(t, read('1 4294967296:5\n'), format, path, '4294967296')
  await rejectsWith(t, read('\n# nothing\n'), format, path, 'no samples')
  await rejectsWith(t, read('1 1:nan\n'), 'ERR_ESPALIER_DATA', path, 'line 1, column 3')
  await rejectsWith(t, read('1 1:1e39\n'), 'ERR_ESPALIER_DATA', path, 'line 1, column 3')
  const huge = await read('1 2000000000:1\n')
  await rejectsWith(
    t,
    Promise.resolve().then(() => densify([huge])),
    'ERR_ESPALIER_MEMORY',
    path,
    '1 samples of 2000000000 features',
    'maxBytes',
  )
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { detectFormat } from '../../../lib/data/format.js'
import { readCsvSamples } from '../../../lib/data/readers/csv.js'
import { refusesEveryCut, rejectsWith } from '../../support/data.js'

function reader(t: Test) {
  const path = join(t.testdir(), 'table.csv')
  const read = (text: string | Buffer, options: Parameters<typeof readCsvSamples>[1] = {}) => {
    writeFileSync(path, text)
    return readCsvSamples(path, options)
  }
  return { path, read }
}

t.test('header, delimiter and label column', async (t) => {
  const { read } = reader(t)
  const cases: [string, string, string[], number[], unknown[], Parameters<typeof readCsvSamples>[1]?][] = [
    ['no header, label last', '1,2,7\n3,4,8\n', ['0', '1'], [1, 2, 3, 4], [7, 8]],
    ['header', 'a,b,y\n1,2,7\n3,4,8\n', ['a', 'b'], [1, 2, 3, 4], [7, 8]],
    ['a column called target', 'Target,a,b\n7,1,2\n8,3,4', ['a', 'b'], [1, 2, 3, 4], [7, 8]],
    ['names that are numbers', '0\t1\ttarget\n1\t2\t7\n3\t4\t8\n', ['0', '1'], [1, 2, 3, 4], [7, 8]],
    ['semicolons, carriage returns', 'a;b;y\r\n1;2;7\r\n3;4;8\r\n', ['a', 'b'], [1, 2, 3, 4], [7, 8]],
    [
      'text labels',
      '5.1,3.5,setosa\n4.9,3.0,virginica\n',
      ['0', '1'],
      [5.1, 3.5, 4.9, 3],
      ['setosa', 'virginica'],
    ],
    ['line ends of two kinds', 'a,b,y\r\n1,2,7\n3,4,8\r\n', ['a', 'b'], [1, 2, 3, 4], [7, 8]],
    ['line ends of the other kind first', 'a,y\n1,p\r\n2,p\n', ['a'], [1, 2], ['p', 'p']],
    ['carriage returns alone', 'a,b,y\r1,2,7\r3,4,8\r', ['a', 'b'], [1, 2, 3, 4], [7, 8]],
    ['quotes before a carriage return', '"a","y"\r\n"1","p"\r\n2,"p"\n', ['a'], [1, 2], ['p', 'p']],
    ['a line end in quotes', 'a,y\n1,"p\r\nq"\r\n2,"p\nq"\n', ['a'], [1, 2], ['p\r\nq', 'p\nq']],
    ['a line end in quotes, before all others', '"a\nb",y\r1,7\r', ['a\nb'], [1], [7]],
    ['label by name', 'a,b,y\n1,2,7\n3,4,8\n', ['b', 'y'], [2, 7, 4, 8], [1, 3], { label: 'a' }],
    ['label by index', '1,2,7\n3,4,8\n', ['1', '2'], [2, 7, 4, 8], [1, 3], { label: 0 }],
    ['index as text', '1,2,7\n3,4,8\n', ['0', '2'], [1, 7, 3, 8], [2, 4], { label: '1' }],
    ['a header that is told', '1,2,7\n3,4,8\n', ['1', '2'], [3, 4], [8], { header: true }],
    ['numbers of columns', '0,1,2,3\n1,2,7,0\n3,4,8,1\n', ['0', '1', '2'], [1, 2, 7, 3, 4, 8], [0, 1]],
    ['a sample that counts', '0,1,2\n3,4,8\n', ['0', '1'], [0, 1, 3, 4], [2, 8], { header: false }],
    ['a header that counts', '0,1,2\n3,4,8\n', ['0', '1'], [3, 4], [8], { header: true }],
    ['one row that counts', '0,1,2,3\n', ['0', '1', '2'], [0, 1, 2], [3]],
    ['a name above a comma', 'a,b,y\n1,x,"1,5"\n', ['a', 'b=x'], [1, 1], ['1,5']],
    ['0x10 as a label', '1,2,0x10\n3,4,0b11\n', ['0', '1'], [1, 2, 3, 4], ['0x10', '0b11']],
    ['blank lines and a byte order mark', '\ufeff1,2,7\n\n3,4,8\n\n', ['0', '1'], [1, 2, 3, 4], [7, 8]],
    ['quotes', '"a,x",b,y\n"1",2,"7"\n3,4,8\n', ['a,x', 'b'], [1, 2, 3, 4], [7, 8]],
  ]
  for (const [what, text, names, values, labels, options] of cases) {
    for (const bytes of [Buffer.from(text), gzipSync(text)]) {
      const { raw } = await read(bytes, options)
      t.same(raw.featureNames, names, what)
      t.same(Array.from(raw.values), values.map(Math.fround), what)
      t.same([...raw.labels!], labels, what)
      t.ok(raw.values.buffer instanceof SharedArrayBuffer)
    }
  }
  const border = `a,y\r\n1,"${'p'.repeat(2 ** 18 - 10)}"\r`
  t.equal(border.length, 2 ** 18, 'a chunk that ends between carriage return and line feed')
  t.equal((await read(`${border}\n2,"p"\r\n`)).raw.samples, 2)
  const { raw } = await read('a,b\n1,2\n', { label: null })
  t.same([raw.features, raw.labels], [2, undefined], 'no label at all')
})

t.test('columns of text become one feature per category', async (t) => {
  const { path, read } = reader(t)
  const train = await read('colour,size,y\nred,1,0\nblue,2,1\nred,3,1\n')
  t.same(train.raw.featureNames, ['colour=blue', 'colour=red', 'size'])
  t.same(Array.from(train.raw.values), [0, 1, 1, 1, 0, 2, 0, 1, 3])
  const test = await read('colour,size,y\nblue,9,0\n', { like: train.schema })
  t.same(Array.from(test.raw.values), [1, 0, 9], 'the test file uses the categories of the training file')
  const unknown = read('colour,size,y\nblue,9,0\ngreen,9,0\n', { like: train.schema })
  await rejectsWith(t, unknown, 'ERR_ESPALIER_FORMAT', path, 'line 3, column 1', 'green')
  await rejectsWith(
    t,
    read('a,b\n1,2\n', { like: train.schema }),
    'ERR_ESPALIER_FORMAT',
    path,
    '2 columns',
    '3',
  )
  const told = await read('zip,y\n10,0\n20,1\n', { categorical: ['zip'] })
  t.same(told.raw.featureNames, ['zip=10', 'zip=20'])
  const many = Array.from({ length: 300 }, (_, i) => `name${i},1,0`).join('\n')
  await rejectsWith(t, read(many), 'ERR_ESPALIER_FORMAT', path, 'line 257, column 1', '256')
})

t.test('missing values are no category, unless the column is named', async (t) => {
  const { path, read } = reader(t)
  for (const missing of ['?', 'NA', 'n/a', '', 'null', '" "']) {
    const given = read(`colour,size,y\nred,1,0\n${missing},2,1\n`)
    await rejectsWith(t, given, 'ERR_ESPALIER_DATA', path, 'line 3, column 1: a missing value', '"colour"')
  }
  const { raw, schema } = await read('c,y\nred,0\n?,1\n', { categorical: ['c'] })
  t.same(raw.featureNames, ['c=?', 'c=red'])
  t.equal((await read('c,y\n?,0\n', { like: schema })).raw.samples, 1)
  await rejectsWith(
    t,
    read('c,y\nNA,0\n', { like: schema }),
    'ERR_ESPALIER_FORMAT',
    '"NA"',
    'not in the training',
  )
  const empty = read('c,y\nred,0\n,1\n', { categorical: ['c'] })
  await rejectsWith(t, empty, 'ERR_ESPALIER_DATA', 'line 3, column 1: a missing value ("")')
})

t.test('a test file has the columns of its training file, in the same order', async (t) => {
  const { path, read } = reader(t)
  const { schema } = await read('a,b,class\n1,2,0\n3,4,1\n')
  const swapped = read('b,a,class\n2,1,0\n', { like: schema })
  await rejectsWith(
    t,
    swapped,
    'ERR_ESPALIER_FORMAT',
    path,
    'line 1, column 1',
    '"b"',
    'training file has "a"',
  )
  const headless = await read('5,6,1\n', { like: schema })
  t.same(
    [Array.from(headless.raw.values), headless.raw.featureNames],
    [
      [5, 6],
      ['a', 'b'],
    ],
  )
  const { schema: counted } = await read('1,2,0\n3,4,1\n')
  const named = await read('a,b,class\n5,6,1\n', { like: counted })
  t.same(Array.from(named.raw.values), [5, 6], 'numbers of columns are no names')
  const { schema: pandas } = await read('0,1,2,3\n1,2,7,0\n')
  t.equal((await read('0,1,2,3\n5,6,7,0\n', { like: pandas })).raw.samples, 1)
  const three = await read('5,6,7\n', { header: false })
  t.equal((await read('0,1,2\n5,6,7\n', { like: three.schema })).raw.samples, 2, 'as in the training file')
  const texts = await read('c,c,y\nred,blue,1\n', { header: true })
  const again = await read('c,c,y\nred,blue,1\n', { like: texts.schema })
  t.equal(again.raw.samples, 1, 'the header of the training file is known again')
})

t.test('every fault names file, line and column', async (t) => {
  const { path, read } = reader(t)
  const fault = async (text: string | Buffer, code: string, ...patterns: (string | RegExp)[]) =>
    rejectsWith(t, read(text), code, path, ...patterns)
  await fault('1,2,0\n3,4\n', 'ERR_ESPALIER_FORMAT', 'line 2, column 3', '2 fields where 3')
  await fault('1,2,0\n3,4,5,6\n', 'ERR_ESPALIER_FORMAT', 'line 2, column 4')
  await fault('1,2,0\n3,x4,1\n', 'ERR_ESPALIER_FORMAT', 'line 2, column 2', 'x4', 'categorical')
  await fault('1,2,0\n3,,1\n', 'ERR_ESPALIER_DATA', 'line 2, column 2', 'missing')
  await fault('1,2,0\n?,4,1\n', 'ERR_ESPALIER_DATA', 'line 2, column 1', 'missing')
  await fault('NA,2,0\n3,4,1\n', 'ERR_ESPALIER_DATA', 'line 1, column 1')
  await fault(
    'a;b;y\n1,5;2;0\n2,5;3;1\n',
    'ERR_ESPALIER_FORMAT',
    'line 2, column 1',
    '"1,5"',
    'decimal point',
  )
  await fault('1,5;2,5;a\n2,5;3,5;b\n', 'ERR_ESPALIER_FORMAT', 'line 1, column 1', '"1,5"', 'decimal point')
  await fault('1,5\t2,5\n2,5\t3,5\n', 'ERR_ESPALIER_FORMAT', 'line 1, column 1', '"1,5"')
  await fault('a,y\n"1,000",0\n2,1\n', 'ERR_ESPALIER_FORMAT', 'line 2, column 1', '"1,000"', 'thousands')
  await fault('1,2,0\n3,"-1.000,5",1\n', 'ERR_ESPALIER_FORMAT', 'line 2, column 2', '"-1.000,5"', 'thousands')
  await fault('0,1,2\n3,4,8\n', 'ERR_ESPALIER_FORMAT', 'line 1', '0, 1, 2', '"header"')
  await fault('0,1\n3,4\n', 'ERR_ESPALIER_FORMAT', 'line 1', '"header"')
  await fault('1,2,0\n3,0x10,1\n', 'ERR_ESPALIER_FORMAT', 'line 2, column 2', '"0x10"')
  await fault('a,y\ninf,0\n2,1\n', 'ERR_ESPALIER_DATA', 'line 2, column 1', 'the value "inf"')
  await fault('1,2,0\n3,NaN,1\n', 'ERR_ESPALIER_DATA', 'line 2, column 2')
  await fault('1,2,0\n3,-Infinity,1\n', 'ERR_ESPALIER_DATA', 'line 2, column 2')
  await fault('1,2,0\n3,1e39,1\n', 'ERR_ESPALIER_DATA', 'line 2, column 2', '1e39')
  await fault('1,2,0\n3,4,\n', 'ERR_ESPALIER_DATA', 'line 2, column 3')
  await fault('a,b\n"1,2\n', 'ERR_ESPALIER_FORMAT', 'line 2')
  await fault('1,"2\n\n\n",0\n3,4\n', 'ERR_ESPALIER_FORMAT', 'line 5')
  await fault('', 'ERR_ESPALIER_FORMAT', 'empty')
  await fault('\n\n', 'ERR_ESPALIER_FORMAT', 'empty')
  await fault('a,b,y\n', 'ERR_ESPALIER_FORMAT', 'header but no rows')
  await fault(Buffer.from([0x31, 0x2c, 0, 0x0a]), 'ERR_ESPALIER_FORMAT', 'byte 2', 'not a text file')
  const noColumn = read('a,b,y\n1,2,3\n', { label: 'bb' })
  await rejectsWith(t, noColumn, 'ERR_ESPALIER_NOT_FOUND', path, '"bb"', 'nearest name is "b"')
  await rejectsWith(t, read('1,2,3\n', { label: 3 }), 'ERR_ESPALIER_NOT_FOUND', path)
})

t.test('text that is not UTF-8 is refused, not guessed', async (t) => {
  const { path, read } = reader(t)
  const code = 'ERR_ESPALIER_FORMAT'
  const latin = Buffer.from('x,y\n1,\xe9\n2,\xe8\n', 'latin1')
  await rejectsWith(t, read(latin), code, path, 'at byte 6: the text is not UTF-8')
  await rejectsWith(t, read(gzipSync(latin)), code, path, 'at byte 6 of the decompressed data')
  await rejectsWith(t, read(Buffer.from('x,y\n1,\u00e9').subarray(0, -1)), code, path, 'at byte 7', 'UTF-8')
  const odd = join(path, '..', 'odd.data')
  writeFileSync(odd, latin)
  await rejectsWith(t, detectFormat(odd), code, odd, 'not UTF-8')
  // A character of two bytes across the border of two chunks, then one that is none.
  const border = Buffer.from(`1,${'x'.repeat(2 ** 18 - 3)}\u00e9\n2,y\n`)
  t.equal((await read(border)).raw.labels![0], `${'x'.repeat(2 ** 18 - 3)}\u00e9`)
  border[border.length - 2] = 0xe9
  await rejectsWith(t, read(border), code, path, `at byte ${border.length - 2}:`)
})

t.test('a fault far down, behind many chunks', async (t) => {
  const { path, read } = reader(t)
  const rows = Array.from({ length: 400_000 }, (_, i) => `${i},${i % 7},${i % 3}`)
  const { raw } = await read(`${rows.join('\n')}\n`)
  t.equal(raw.samples, 400_000)
  t.same(Array.from(raw.values.slice(-2)), [399_999, 399_999 % 7])
  rows[300_000] = '1,broken,2'
  await rejectsWith(t, read(rows.join('\n')), 'ERR_ESPALIER_FORMAT', path, 'line 300001, column 2', 'broken')
})

t.test('endless and damaged files', async (t) => {
  const { path, read } = reader(t)
  await rejectsWith(
    t,
    read(Buffer.alloc(20 * 2 ** 20, '0,')),
    'ERR_ESPALIER_FORMAT',
    path,
    'a line of more than',
  )
  writeFileSync(path, gzipSync(Buffer.alloc(160 * 2 ** 20, '0,0,0\n')))
  const small = readCsvSamples(path, { maxBytes: 2 ** 20 })
  await rejectsWith(t, small, 'ERR_ESPALIER_MEMORY', path, 'allowed: 1048576', 'maxBytes')
  const packed = gzipSync('1,2,0\n3,4,1\n')
  await refusesEveryCut(t, path, packed, () => readCsvSamples(path))
  await rejectsWith(t, readCsvSamples(join(path, '..', 'none.csv')), 'ERR_ESPALIER_NOT_FOUND', 'none.csv')
  await t.rejects(readCsvSamples(path, {}, AbortSignal.abort(new Error('enough'))), { message: 'enough' })
})

import t from 'tap'
import { listDatasets } from '../../lib/data/catalogue.js'
import { readDataset } from '../../lib/data/file.js'
import { loadDataset } from '../../lib/data/load.js'
import { needsSharedData, sharedData, total } from '../support/data.js'

const dataDirectory = sharedData()

/** Sums of all values as stored, worked out once by another reader (Python, straight from the format). */
const SUMS: Readonly<Record<string, number>> = {
  ALLAML: 0,
  BASEHOCK: 204_566,
  COIL20: 444661.993,
  Isolet: 76368.58,
  ORL: 54_429_100,
  PCMAC: 143_917,
  RELATHE: 190_146,
  Yale: 16_640_447,
  arcene: 142_136_852,
  colon: -30_656,
  leukemia: -42_790,
  lung_discrete: -522,
  lymphoma: -5_616,
  'madelon-nips': 634_479_344,
  orlraws10P: 117_727_813,
  warpPIE10P: 32_137_409,
  adult: 9_328_125_175,
  connect_4: 810_684,
  letter: 1_896_149,
  magic: 5834924.789,
  mfeat_fourier: 20068.877,
  mfeat_karhunen: 6794.847,
  pendigits: 8_918_653,
  segmentation: 1081148.699,
  shuttle: 15_769_908,
  spambase: 1613082.538,
  splice: 326_809,
  waveform_40: 179897.64,
  covtype: 777_372_371,
}

t.before(() => {
  delete process.env.ESPALIER_DATA
})

t.test('every small set of the catalogue: shape, classes, sum of all values', needsSharedData, async (t) => {
  const rows = await listDatasets({ dataDirectory, cacheDirectory: t.testdir() })
  let checked = 0
  for (const row of rows) {
    if (row.generated || row.files.length !== 1) continue
    const { train, test } = await loadDataset(row.name, { dataDirectory, scaling: 'none' })
    const samples = train.samples + test.samples
    if (row.name === 'covtype') {
      t.same([train.name, samples], ['covtype (16 % sample)', 92_962])
    } else {
      t.same([train.name, samples], [row.name, row.samples])
    }
    t.same([train.features, train.classes], [row.features, row.classes], row.name)
    const sum = total(train.values) + total(test.values)
    const expected = SUMS[row.name]!
    t.ok(
      Math.abs(sum - expected) <= 1e-6 * Math.max(Math.abs(expected), 1000),
      `${row.name}: sum ${sum}, ${expected} expected`,
    )
    const seen = new Set(train.labels)
    t.equal(seen.size, row.classes, `${row.name}: every class is in the training part`)
    checked++
  }
  t.equal(checked, 29)
})

t.test('images: first labels, a pixel sum, upright letters', needsSharedData, async (t) => {
  const load = (name: string) => loadDataset(name, { dataDirectory, scaling: 'none' })
  const fashion = await load('fashion-mnist')
  t.same([fashion.train.samples, fashion.test.samples], [60_000, 10_000])
  t.same(Array.from(fashion.train.labels!.slice(0, 8)), [9, 0, 0, 3, 0, 2, 7, 2])
  t.same(Array.from(fashion.test.labels!.slice(0, 8)), [9, 2, 1, 1, 6, 1, 4, 6])
  t.equal(total(fashion.train.values), 3_431_114_169)
  const mnist = await load('mnist')
  t.same(Array.from(mnist.train.labels!.slice(0, 8)), [5, 0, 4, 1, 9, 2, 1, 3])
  t.same(Array.from(mnist.test.labels!.slice(0, 8)), [7, 2, 1, 0, 4, 1, 4, 9])
  t.same(mnist.train.imageShape, [28, 28])

  const letters = await load('emnist-letters')
  t.same([letters.train.samples, letters.test.samples, letters.train.classes], [124_800, 20_800, 26])
  t.same([letters.train.classNames![0], letters.train.classNames![25]], ['1', '26'])
  // An upright I or L is mostly tall strokes: over all of them, ink spreads further down than across.
  const spread = { down: 0, across: 0 }
  letters.test.labels!.forEach((label, i) => {
    if (label !== 8) return
    const image = letters.test.values.subarray(i * 784, (i + 1) * 784)
    image.forEach((value, at) => {
      spread.down += value * (Math.floor(at / 28) - 13.5) ** 2
      spread.across += value * ((at % 28) - 13.5) ** 2
    })
  })
  t.ok(spread.down > 1.5 * spread.across, `down ${spread.down}, across ${spread.across}`)
})

t.test('scaling is fitted on the training part', needsSharedData, async (t) => {
  const { train, test, scaling } = await loadDataset('covtype', { dataDirectory, seed: 3 })
  t.equal(scaling!.offsets.length, 54)
  t.same([train.samples, test.samples], [74_370, 18_592])
  let sum = 0
  let squares = 0
  for (let i = 0; i < train.samples; i++) {
    const elevation = train.values[i * 54]!
    sum += elevation
    squares += elevation * elevation
  }
  t.ok(Math.abs(sum / train.samples) < 1e-4)
  t.ok(Math.abs(squares / train.samples - 1) < 1e-4)
})

t.test('the first lines of covtype as a file of its own', needsSharedData, async (t) => {
  const data = await readDataset(sharedData('covtype', 'covtype.20k.data.gz'))
  t.same([data.samples, data.features, data.classes], [20_000, 54, 7])
  t.same(Array.from(data.values.slice(0, 4)), [2596, 51, 3, 258])
  t.equal(data.classNames![data.labels![0]!], '5')
})

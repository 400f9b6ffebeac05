import fc from 'fast-check'
import t from 'tap'
import type { Dataset } from '../../lib/data/dataset.js'
import { selectSamples } from '../../lib/data/select.js'
import { splitDataset, takeSamples } from '../../lib/data/split.js'

/** A data set whose one feature is the number of the sample. */
function numbered(labels: number[], classes: number): Dataset {
  const samples = labels.length
  const values = Float32Array.from({ length: samples }, (_, i) => i)
  return { name: 'numbered', samples, features: 1, values, labels: Int32Array.from(labels), classes }
}

const labelled = fc
  .integer({ min: 1, max: 6 })
  .chain((classes) =>
    fc
      .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: 4, maxLength: 200 })
      .map((labels) => numbered(labels, classes)),
  )

const count = (labels: Int32Array | undefined, label: number) =>
  labels!.filter((other) => other === label).length

t.test('a split is a partition that keeps order and labels', async () => {
  fc.assert(
    fc.property(
      labelled,
      fc.double({ min: 0.3, max: 0.7, noNaN: true }),
      fc.nat(),
      fc.boolean(),
      (data, testFraction, seed, stratify) => {
        if (stratify && [...Array(data.classes).keys()].every((label) => count(data.labels, label) <= 1))
          return
        const { train, test } = splitDataset(data, { testFraction, seed, stratify })
        const together = [...train.values, ...test.values]
        if (together.length !== data.samples || new Set(together).size !== data.samples)
          throw new Error('not a partition')
        for (const part of [train, test]) {
          if (part.samples !== part.values.length || part.labels!.length !== part.samples)
            throw new Error('sizes')
          part.values.forEach((sample, i) => {
            if (part.labels![i] !== data.labels![sample]) throw new Error('a label went astray')
            if (i > 0 && part.values[i - 1]! >= sample) throw new Error('out of order')
          })
        }
        if (!stratify && test.samples !== Math.round(data.samples * testFraction))
          throw new Error('size of the test part')
      },
    ),
  )
})

t.test('stratified: every class gives its share to within one sample', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 5, max: 60 }), { minLength: 2, maxLength: 5 }),
      fc.nat(),
      (sizes, seed) => {
        const data = numbered(
          sizes.flatMap((size, label) => Array<number>(size).fill(label)),
          sizes.length,
        )
        const { train, test } = splitDataset(data, { seed })
        if (test.samples !== Math.round(data.samples * 0.2)) throw new Error('size of the test part')
        sizes.forEach((size, label) => {
          if (Math.abs(count(test.labels, label) - size * 0.2) >= 1) throw new Error('share')
          if (count(train.labels, label) === 0) throw new Error('a class is missing from the training part')
        })
      },
    ),
  )
})

t.test('the seed decides', async (t) => {
  const data = numbered(
    Array.from({ length: 100 }, (_, i) => i % 4),
    4,
  )
  const split = (seed: number) => [...splitDataset(data, { seed }).test.values]
  t.same(split(3), split(3))
  t.notSame(split(3), split(4))
})

t.test('subsets', async (t) => {
  const data = numbered(
    Array.from({ length: 100 }, (_, i) => (i < 80 ? 0 : 1)),
    2,
  )
  const some = takeSamples(data, 10, 1)
  t.equal(some.samples, 10)
  t.equal(count(some.labels, 1), 2)
  t.equal(new Set(some.values).size, 10)
  t.same(takeSamples(data, 100).values, data.values, 'all of them')
  t.throws(() => takeSamples(data, 101), { code: 'ERR_ESPALIER_OPTION' })
})

t.test('targets go with their samples', async (t) => {
  const values = Float32Array.from({ length: 10 }, (_, i) => i)
  const targets = Float32Array.from({ length: 20 }, (_, i) => i)
  const data = { name: 'r', samples: 10, features: 1, values, classes: 0, targets }
  for (const whole of [data, { ...data, outputs: 2 }]) {
    const { train, test } = splitDataset(whole)
    t.equal(test.samples, 2)
    for (const part of [train, test, takeSamples(whole, 3), selectSamples(whole, [9, 0])]) {
      t.equal(part.targets!.length, 2 * part.samples)
      part.values.forEach((sample, i) => {
        t.same(Array.from(part.targets!.subarray(2 * i, 2 * i + 2)), [2 * sample, 2 * sample + 1])
      })
    }
  }
  for (const wrong of [
    { ...data, outputs: 3 },
    { ...data, targets: targets.subarray(1) },
  ]) {
    t.throws(() => splitDataset(wrong), {
      code: 'ERR_ESPALIER_DATA',
      message: /^r: \d+ targets for 10 samples/,
    })
  }
})

t.test('impossible options', async (t) => {
  const data = numbered([0, 1, 0, 1], 2)
  const split = (options: object) => () => splitDataset(data, options)
  t.throws(split({ testFraction: 1 }), { code: 'ERR_ESPALIER_OPTION', message: /"testFraction" is 1/ })
  t.throws(split({ testFraction: Number.NaN }), { code: 'ERR_ESPALIER_OPTION', message: /testFraction/ })
  t.throws(split({ sed: 1 }), { code: 'ERR_ESPALIER_OPTION', message: /"sed".*did you mean "seed"/ })
  t.throws(split({ seed: -1 }), { code: 'ERR_ESPALIER_OPTION', message: /"seed" is -1/ })
  t.throws(split({ testFraction: 0.01 }), { code: 'ERR_ESPALIER_DATA', message: /empty/ })
  const { labels: _, ...unlabelled } = data
  const stratify = () => splitDataset({ ...unlabelled, classes: 0 }, { stratify: true })
  t.throws(stratify, { code: 'ERR_ESPALIER_OPTION', message: /stratify/ })
})

t.test('what is no data set, and labels that are no classes', async (t) => {
  const data = numbered([0, 1, 0, 1], 2)
  const code = 'ERR_ESPALIER_DATA'
  for (const wrong of [undefined, null, 5, {}] as never[]) {
    t.throws(() => splitDataset(wrong), { code, message: /^splitDataset: dataset is .*; allowed: a Dataset/ })
    t.throws(() => takeSamples(wrong, 1), { code, message: /^takeSamples: dataset is / })
    t.throws(() => selectSamples(wrong, [0]), { code, message: /^selectSamples: dataset is / })
  }
  for (const choose of [splitDataset, (dataset: Dataset) => takeSamples(dataset, 2)]) {
    const none = () => choose({ ...data, classes: 0 })
    t.throws(none, { code, message: 'numbered: sample 0 has label 0, but classes is 0' })
    t.throws(() => choose({ ...data, classes: 1 }), {
      code,
      message: 'numbered: sample 1 has label 1, but classes is 1',
    })
    const few = () => choose({ ...data, labels: Int32Array.of(0, 1) })
    t.throws(few, { code, message: 'numbered: 2 labels for 4 samples' })
  }
  const select = () => selectSamples(data, undefined as never)
  t.throws(select, {
    code: 'ERR_ESPALIER_OPTION',
    message: /^selectSamples: indices is undefined; allowed: /,
  })
})

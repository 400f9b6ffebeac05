import t from 'tap'
import { digits } from '../../lib/data/generators/digits.js'
import { madelon } from '../../lib/data/generators/madelon.js'
import { loadDataset } from '../../lib/data/load.js'
import { sameBytes, total } from '../support/data.js'

t.test('digits: shape, range, balance', async (t) => {
  const { train, test } = digits({ train: 305, test: 100, seed: 4 })
  t.same([train.samples, train.features, train.classes], [305, 784, 10])
  t.same(train.imageShape, [28, 28])
  t.equal(test.samples, 100)
  t.ok(train.values.buffer instanceof SharedArrayBuffer)
  t.ok(train.values.every((value) => value >= 0 && value <= 1))
  const counts = new Array<number>(10).fill(0)
  for (const label of train.labels!) counts[label]!++
  t.ok(
    counts.every((count) => count === 30 || count === 31),
    String(counts),
  )
  for (let i = 0; i < train.samples; i++) {
    const ink = train.values.subarray(i * 784, (i + 1) * 784).filter((value) => value > 0.5).length
    if (ink < 8 || ink > 400) t.fail(`image ${i} has ${ink} dark pixels`)
  }
})

t.test('digits: the seed decides, and an image does not depend on how many there are', async (t) => {
  const some = digits({ train: 50, test: 20, seed: 1 })
  const again = digits({ train: 50, test: 20, seed: 1 })
  t.ok(sameBytes(again.train.values, some.train.values) && sameBytes(again.test.values, some.test.values))
  const more = digits({ train: 80, test: 10, seed: 1 })
  t.ok(sameBytes(more.train.values.subarray(0, 50 * 784), some.train.values))
  t.ok(sameBytes(more.train.labels!.subarray(0, 50), some.train.labels!))
  t.notOk(sameBytes(digits({ train: 50, test: 20, seed: 2 }).train.values, some.train.values))
  t.notOk(sameBytes(some.test.values, some.train.values.subarray(0, 20 * 784)), 'the parts differ')
})

/** Accuracy of the nearest class mean: knows the usual look of each digit, nothing else. */
function nearestMean({ train, test }: ReturnType<typeof digits>): number {
  const means = Array.from({ length: 10 }, () => new Float64Array(784))
  train.labels!.forEach((label, i) => {
    for (let j = 0; j < 784; j++) means[label]![j]! += (10 * train.values[i * 784 + j]!) / train.samples
  })
  let right = 0
  test.labels!.forEach((label, i) => {
    const far = means.map((mean) =>
      mean.reduce((sum, value, j) => sum + (value - test.values[i * 784 + j]!) ** 2, 0),
    )
    if (far.indexOf(Math.min(...far)) === label) right++
  })
  return right / test.samples
}

t.test('digits: neither trivial nor impossible', async (t) => {
  const accuracy = nearestMean(digits({ train: 2000, test: 500, seed: 3 }))
  t.ok(accuracy > 0.5 && accuracy < 0.95, `nearest mean: ${accuracy}`)
})

t.test('madelon: shape, names, balance', async (t) => {
  const { train, test } = madelon({ seed: 2 })
  t.same([train.samples, test.samples, train.features, train.classes], [2000, 600, 500, 2])
  t.ok(train.values.every(Number.isFinite))
  const names = train.featureNames!
  for (const [kind, count] of [
    ['informative', 5],
    ['redundant', 15],
    ['probe', 480],
  ] as const) {
    t.equal(names.filter((name) => name.startsWith(kind)).length, count, kind)
  }
  const ones = train.labels!.filter((label) => label === 1).length
  t.ok(Math.abs(ones - 1000) < 40, `${ones} of class 1`)
  const again = madelon({ seed: 2 })
  t.ok(sameBytes(again.train.values, train.values) && sameBytes(again.test.labels!, test.labels!))
  t.notOk(sameBytes(madelon({ seed: 3 }).train.values, train.values))
})

t.test(
  'madelon: corners carry the classes, redundant and repeated features follow the informative ones',
  async (t) => {
    const options = {
      train: 800,
      test: 10,
      redundant: 3,
      repeated: 2,
      probes: 4,
      separation: 20,
      flip: 0,
      seed: 6,
    }
    const { train } = madelon(options)
    const names = train.featureNames!
    const at = (name: string, sample: number) => train.values[sample * train.features + names.indexOf(name)]!
    const classOfCorner = new Map<string, number>()
    for (let i = 0; i < train.samples; i++) {
      const corner = Array.from({ length: 5 }, (_, axis) =>
        at(`informative${axis}`, i) > 0 ? '+' : '-',
      ).join('')
      if (!classOfCorner.has(corner)) classOfCorner.set(corner, train.labels![i]!)
      else if (classOfCorner.get(corner) !== train.labels![i]) t.fail(`corner ${corner} has two classes`)
    }
    t.equal(classOfCorner.size, 32, 'all corners are taken')
    t.equal([...classOfCorner.values()].filter((label) => label === 1).length, 16)

    // Six samples of five informative features and one redundant one must be linearly dependent.
    const matrix = Array.from({ length: 6 }, (_, i) =>
      [0, 1, 2, 3, 4].map((j) => at(`informative${j}`, i)).concat(at('redundant0', i)),
    )
    const probe = matrix.map((row, i) => [...row.slice(0, 5), at('probe0', i)])
    const ratio = Math.abs(determinant(matrix) / determinant(probe))
    t.ok(ratio < 1e-4, `redundant0 is a combination, a probe is not: ${ratio}`)
    const useful = names.filter((name) => /informative|redundant/.test(name))
    for (const copy of ['repeated0', 'repeated1']) {
      const original = useful.filter((name) => [0, 1, 2, 3].every((i) => at(name, i) === at(copy, i)))
      t.equal(original.length, 1, `${copy} is a copy`)
    }
  },
)

function determinant(rows: number[][]): number {
  if (rows.length === 0) return 1
  return rows[0]!.reduce((sum, value, column) => {
    const minor = rows.slice(1).map((row) => row.filter((_, other) => other !== column))
    return sum + (column % 2 === 0 ? 1 : -1) * value * determinant(minor)
  }, 0)
}

t.test('madelon: flipped labels', async (t) => {
  const base = { train: 2000, test: 10, probes: 0, seed: 1 }
  const clean = madelon({ ...base, flip: 0 }).train.labels!
  const noisy = madelon({ ...base, flip: 1 }).train.labels!
  const changed = clean.filter((label, i) => label !== noisy[i]).length
  t.ok(changed > 800 && changed < 1200, `${changed} of 2000 differ when every label is drawn anew`)
})

t.test('through the catalogue: scaled, seeded', async (t) => {
  const { train, test, scaling } = await loadDataset('Digits', { seed: 1 })
  t.same([train.samples, test.samples], [10_000, 2000])
  t.equal(scaling!.method, 'standard-global')
  const mean = total(train.values) / train.values.length
  t.ok(Math.abs(mean) < 1e-3, `mean ${mean}`)
  const table = await loadDataset('madelon', { scaling: 'none' })
  t.ok(sameBytes(table.train.values, madelon({ seed: 0 }).train.values))
})

t.test('impossible options', async (t) => {
  t.throws(() => digits({ train: 5 }), { code: 'ERR_ESPALIER_OPTION', message: /"train" is 5/ })
  t.throws(() => digits({ tain: 500 } as object), {
    code: 'ERR_ESPALIER_OPTION',
    message: /did you mean "train"/,
  })
  t.throws(() => madelon({ clustersPerClass: 17 }), {
    code: 'ERR_ESPALIER_OPTION',
    message: /clustersPerClass.*32 corners/,
  })
  t.throws(() => madelon({ flip: 1.5 }), { code: 'ERR_ESPALIER_OPTION', message: /"flip"/ })
})

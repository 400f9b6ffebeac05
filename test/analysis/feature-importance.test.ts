import t from 'tap'
import { type Dataset, featureImportance, spatiallyCoupled } from '../../lib/index.js'
import { clouds, noAddon, random } from '../model/support.js'

/** Rows of features, then labels. */
function table(rows: number[][], labels: number[], classes: number): Dataset {
  return {
    name: 'table',
    samples: rows.length,
    features: rows[0]!.length,
    values: Float32Array.from(rows.flat()),
    labels: Int32Array.from(labels),
    classes,
  }
}

const near = (found: number, expected: number): boolean =>
  Math.abs(found - expected) < 1e-6 * Math.max(1, expected)

t.test('anova by hand', async (t) => {
  // Feature 0: classes {1, 2, 3} and {2, 3, 4}: between 6 (1/2)^2 = 1.5, within 4: F = 1.5 / (4 / 4). Feature 1 never
  // changes; feature 2 is the class itself, whose variance within is taken as a millionth of 1.5.
  const rows = [
    [1, 0.1, 0],
    [2, 0.1, 0],
    [3, 0.1, 0],
    [2, 0.1, 1],
    [3, 0.1, 1],
    [4, 0.1, 1],
  ]
  const [first, second, third] = await featureImportance(table(rows, [0, 0, 0, 1, 1, 1], 2), {
    measure: 'anova',
  })
  t.ok(near(first!, 1.5), String(first))
  t.equal(second, 0)
  t.ok(near(third!, 4e6), String(third))
})

t.test('correlation by hand', async (t) => {
  const rows = [
    [0, 1],
    [0, 2],
    [1, 3],
    [1, 4],
  ]
  const [first, second] = await featureImportance(table(rows, [0, 0, 1, 1], 2), { measure: 'correlation' })
  t.ok(near(first!, 1))
  t.ok(near(second!, 2 / Math.sqrt(5)))
  const { labels: _, ...plain } = table(rows, [0, 0, 0, 0], 0)
  const regression = { ...plain, targets: Float32Array.from([1, 2, 3, 4, 0, 0, 0, 1]), outputs: 2 }
  // Targets [1, 3, 0, 0] and [2, 4, 0, 1].
  const found = await featureImportance(regression, { measure: 'correlation' })
  const pearson = (x: number[], y: number[]): number => {
    const [mx, my] = [x, y].map((list) => list.reduce((sum, one) => sum + one, 0) / list.length) as [
      number,
      number,
    ]
    const dot = (a: number[], ma: number, b: number[], mb: number) =>
      a.reduce((sum, one, i) => sum + (one - ma) * (b[i]! - mb), 0)
    return Math.abs(dot(x, mx, y, my)) / Math.sqrt(dot(x, mx, x, mx) * dot(y, my, y, my))
  }
  for (const j of [0, 1]) {
    const column = rows.map((row) => row[j]!)
    t.ok(near(found[j]!, (pearson(column, [1, 3, 0, 0]) + pearson(column, [2, 4, 0, 1])) / 2), `feature ${j}`)
  }
})

t.test('mutual information by hand', async (t) => {
  // Feature 0 is the class of two: log 2. Feature 1 knows nothing. Feature 2 tells one class of four apart.
  const rows = Array.from({ length: 80 }, (_, i) => [
    i % 4 < 2 ? 5 : 7,
    Math.floor(i / 4) % 2,
    i % 4 === 3 ? 1 : 0,
  ])
  const labels = rows.map((_, i) => i % 4)
  const [first, second, third] = await featureImportance(table(rows, labels, 4), {
    measure: 'mutualInformation',
  })
  t.ok(near(first!, Math.log(2)))
  t.ok(near(second!, 0))
  t.ok(near(third!, Math.log(4) - 0.75 * Math.log(3)))
})

t.test('joint importance sees what features say together only', { skip: noAddon }, async (t) => {
  // Two features share a noise that hides the class in each of them: their difference is the class.
  const draw = random(3)
  const rows: number[][] = []
  const labels: number[] = []
  for (let i = 0; i < 400; i++) {
    const label = i % 2
    const noise = 20 * (draw() - 0.5)
    rows.push([noise + label, noise - label, draw() + 0.3 * label, 4])
    labels.push(label)
  }
  const data = table(rows, labels, 2)
  const marginal = await featureImportance(data, { measure: 'anova' })
  const joint = await featureImportance(data, { measure: 'joint' })
  t.ok(marginal[2]! > marginal[0]! && marginal[2]! > marginal[1]!, String(marginal))
  t.ok(joint[0]! > joint[2]! && joint[1]! > joint[2]!, String(joint))
  t.equal(joint[3], 0, 'a feature that never changes')
  t.strictSame(await featureImportance(data, { measure: 'joint' }), joint, 'the same each time')
})

t.test('every measure gives what spatiallyCoupled takes', { skip: noAddon }, async (t) => {
  const data = clouds(200, 12, 3)
  for (const measure of ['anova', 'mutualInformation', 'correlation', 'joint'] as const) {
    const importance = await featureImportance(data, { measure })
    t.equal(importance.length, 12)
    t.equal(spatiallyCoupled({ importance, blocks: 3, window: 2 }).importance.length, 12)
  }
})

t.test('what cannot be measured is refused', async (t) => {
  const { labels: _, ...bare } = clouds(10, 3, 2)
  const data = { code: 'ERR_ESPALIER_DATA' }
  await t.rejects(featureImportance(bare, { measure: 'anova' }), {
    ...data,
    message: 'featureImportance: anova needs the labels of classes, and clouds has none',
  })
  await t.rejects(featureImportance(bare, { measure: 'joint' }), {
    ...data,
    message: /joint needs labels or targets/,
  })
  await t.rejects(featureImportance(clouds(10, 3, 2), { measure: 'anvoa' as never }), {
    code: 'ERR_ESPALIER_OPTION',
    message: /did you mean "anova"\?/,
  })
})

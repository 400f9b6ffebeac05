import fc from 'fast-check'
import t from 'tap'
import type { Dataset } from '../../lib/data/dataset.js'
import { applyScaling, fitGlobalStandard, fitMinMax, fitStandard } from '../../lib/data/scale.js'

function table(values: ArrayLike<number>, features: number): Dataset {
  const floats = Float32Array.from(values)
  return { name: 'table', samples: floats.length / features, features, values: floats, classes: 0 }
}

const tables = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 40 }))
  .chain(([features, samples]) =>
    fc
      .array(fc.float({ min: -1e6, max: 1e6, noNaN: true }), {
        minLength: features * samples,
        maxLength: features * samples,
      })
      .map((values) => table(values, features)),
  )

const column = (data: Dataset, j: number) => Array.from(data.values).filter((_, i) => i % data.features === j)
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)))

t.test('standardised columns have mean 0 and deviation 1, or are 0', async () => {
  fc.assert(
    fc.property(tables, (data) => {
      const scaled = applyScaling(data, fitStandard(data))
      for (let j = 0; j < data.features; j++) {
        const before = column(data, j)
        const after = column(scaled, j)
        const constant = before.every((value) => value === before[0])
        if (constant && after.some((value) => value !== 0)) throw new Error('a constant column is not 0')
        if (!constant && (Math.abs(mean(after)) > 1e-5 || Math.abs(deviation(after) - 1) > 1e-5)) {
          throw new Error(`mean ${mean(after)}, deviation ${deviation(after)}`)
        }
      }
    }),
  )
})

t.test('min-max columns run from 0 to 1, or are 0', async () => {
  fc.assert(
    fc.property(tables, (data) => {
      const scaled = applyScaling(data, fitMinMax(data))
      for (let j = 0; j < data.features; j++) {
        const before = column(data, j)
        const after = column(scaled, j)
        const range = [Math.min(...after), Math.max(...after)]
        const expected = before.every((value) => value === before[0]) ? [0, 0] : [0, 1]
        if (range[0] !== expected[0] || Math.abs(range[1]! - expected[1]!) > 1e-6)
          throw new Error(String(range))
      }
    }),
  )
})

t.test('fitted on the training part alone, and plain data', async (t) => {
  const train = table([0, 10, 2, 10], 2)
  const scaling = fitStandard(train)
  t.same(scaling, { method: 'standard', offsets: [1, 10], factors: [1, 0] })
  const read = JSON.parse(JSON.stringify(scaling))
  t.same(Array.from(applyScaling(table([5, 99], 2), read).values), [4, 0])
  t.same(fitMinMax(train), { method: 'minmax', offsets: [0, 10], factors: [0.5, 0] })
  t.same(fitGlobalStandard(table([1, 3, 1, 3], 2)), { method: 'standard-global', offsets: [2], factors: [1] })
  t.same(Array.from(train.values), [0, 10, 2, 10], 'the data set itself stays as it was')
})

t.test('what cannot be scaled', async (t) => {
  const scaling = fitStandard(table([0, 10, 2, 10], 2))
  t.throws(() => applyScaling(table([1, 2, 3], 3), scaling), { code: 'ERR_ESPALIER_DATA' })
  const tiny = fitStandard(table([0, 1e-40], 1))
  t.throws(() => applyScaling(table([0, 3e38], 1), tiny), {
    code: 'ERR_ESPALIER_DATA',
    message: /sample 1, feature 0/,
  })
})

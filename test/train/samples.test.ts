import t from 'tap'
import { describeNetwork } from '../../lib/model/description.js'
import { dense } from '../../lib/model/layers.js'
import { toNativeData, toNativeRows } from '../../lib/train/samples.js'

const classes = describeNetwork('new Network', { inputs: 2, layers: [dense(3)] })
const yesNo = describeNetwork('new Network', { inputs: 2, layers: [dense(1)], loss: 'binaryCrossEntropy' })
const regression = describeNetwork('new Network', { inputs: 2, layers: [dense(2)], loss: 'squaredError' })

const good = {
  name: 'small',
  samples: 4,
  features: 2,
  values: new Float32Array(8),
  labels: Int32Array.of(0, 1, 2, 0),
  classes: 3,
}

function detached(): Float32Array {
  const values = new Float32Array(8)
  structuredClone(values.buffer, { transfer: [values.buffer] })
  return values
}

const wrong: [dataset: unknown, message: string, network?: typeof classes][] = [
  [undefined, 'fit: train is undefined; allowed: a Dataset'],
  [new Float32Array(8), 'fit: train is of class Float32Array; allowed: a Dataset'],
  [{ ...good, features: 3 }, 'fit: train has 3 features a sample; the network has 2 inputs'],
  [{ ...good, samples: 0 }, 'fit: train: samples is 0; allowed: a whole number >= 1'],
  [{ ...good, samples: 1.5 }, 'fit: train: samples is 1.5; allowed: a whole number >= 1'],
  [{ ...good, values: [1, 2] }, 'fit: train: values is [1, 2]; allowed: a Float32Array'],
  [
    { ...good, values: new Float64Array(8) },
    'fit: train: values is of class Float64Array; allowed: a Float32Array',
  ],
  [
    { ...good, values: new Float32Array(7) },
    'fit: train: values has length 7; allowed: samples x features = 8',
  ],
  [
    { ...good, values: detached() },
    'fit: train: values has length 0 (empty, or its buffer was transferred away); allowed: samples x features = 8',
  ],
  [{ ...good, labels: undefined }, 'fit: train has no labels; loss softmaxCrossEntropy needs them'],
  [
    { ...good, labels: new Uint8Array(4) },
    'fit: train: labels is of class Uint8Array; allowed: an Int32Array',
  ],
  [{ ...good, labels: new Int32Array(3) }, 'fit: train: labels has length 3; allowed: samples = 4'],
  [{ ...good, labels: Int32Array.of(0, 1, 3, 0) }, 'fit: train sample 2 has label 3; allowed: 0 to 2'],
  [{ ...good, labels: Int32Array.of(0, -1, 3, 0) }, 'fit: train sample 1 has label -1; allowed: 0 to 2'],
  [good, 'fit: train sample 2 has label 2; allowed: 0 to 1', yesNo],
  [
    { ...good, targets: Float32Array.of(0, 1, 1.5, 0) },
    'fit: train sample 2, output 0 has target 1.5; allowed: 0 to 1',
    yesNo,
  ],
  [
    { ...good, labels: undefined },
    'fit: train has no labels; loss squaredError needs targets or labels',
    regression,
  ],
  [
    { ...good, targets: Float32Array.of(0, 1, 2, 3, 4, Number.NaN, 6, 7) },
    'fit: train sample 2, output 1 has target NaN; allowed: finite numbers',
    regression,
  ],
  [
    { ...good, targets: new Float32Array(4) },
    'fit: train: targets has length 4; allowed: samples x outputs = 8',
    regression,
  ],
  [
    { ...good, targets: new Float32Array(12), outputs: 3 },
    'fit: train has 3 targets a sample; the network has 2 outputs',
    regression,
  ],
]

t.test('data that does not fit the network is refused by name', (t) => {
  for (const [dataset, message, network = classes] of wrong) {
    t.throws(
      () => toNativeData('fit: train', dataset, network, true),
      { code: 'ERR_ESPALIER_DATA', message },
      message,
    )
  }
  t.end()
})

t.test('what the loss needs is handed on', (t) => {
  t.strictSame(toNativeData('fit: train', good, classes, true), {
    samples: 4,
    features: 2,
    values: good.values,
    labels: good.labels,
    targets: null,
  })
  const labels = Int32Array.of(0, 1, 1, 0)
  t.match(toNativeData('fit: train', { ...good, labels }, yesNo, true), { labels, targets: null })
  const targets = new Float32Array(8)
  t.match(toNativeData('fit: train', { ...good, targets }, regression, true), { labels: null, targets })
  t.match(toNativeData('predict', { ...good, labels: undefined }, classes, false), {
    labels: null,
    targets: null,
  })
  t.end()
})

t.test('plain rows', (t) => {
  t.match(toNativeRows('predict', new Float32Array(6), 2), { samples: 3, features: 2 })
  const message = 'predict: values has length 5; allowed: samples x 2 inputs, at least one sample'
  t.throws(() => toNativeRows('predict', new Float32Array(5), 2), { code: 'ERR_ESPALIER_DATA', message })
  t.throws(() => toNativeRows('predict', detached(), 2), {
    code: 'ERR_ESPALIER_DATA',
    message: /transferred away/,
  })
  t.end()
})

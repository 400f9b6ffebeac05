import fc from 'fast-check'
import t from 'tap'
import {
  type DenseLayer,
  dense,
  denseTwin,
  dropout,
  layerNorm,
  Network,
  type NetworkOptions,
  sparse,
  uniform,
} from '../../lib/index.js'
import { noAddon } from './support.js'

const weightsOf = (options: NetworkOptions) => {
  using network = new Network({ ...options, device: 'cpu' })
  return network.summary().reduce((sum, { connections }) => sum + connections, 0)
}
const widthsOf = ({ layers }: NetworkOptions) =>
  layers.flatMap((layer) => ('outputs' in layer ? [layer.outputs] : []))

t.test('widths worked out by hand', { skip: noAddon }, (t) => {
  // 100 of 200 connections and 40 weights; a hidden layer of h has 12 h.
  const one = denseTwin({ inputs: 10, layers: [sparse(20, { sparsity: 0.5 }), dense(2)] })
  t.strictSame(widthsOf(one), [11, 2])
  // 16 + 24 + 12 = 52. Widths of 8 and 6 pass through (5, 3): 41, (5, 4): 48 and (6, 4): 56.
  const half = { sparsity: 0.5 }
  const two = denseTwin({ inputs: 4, layers: [sparse(8, half), layerNorm(), sparse(6, half), dense(2)] })
  t.strictSame(widthsOf(two), [5, 4, 2])
  t.equal(weightsOf(two), 48)
  // Nothing is absent, so nothing shrinks.
  const whole = denseTwin({ inputs: 7, layers: [sparse(9), dense(3)], sparsity: 0 })
  t.strictSame(widthsOf(whole), [9, 3])
  t.end()
})

t.test('everything but the connections is kept', { skip: noAddon }, (t) => {
  const twin = denseTwin({
    inputs: 30,
    layers: [
      dropout(0.2),
      sparse(40, {
        activation: 'srelu',
        bias: false,
        initialization: 'xavier',
        dropConnect: 0.1,
        masked: true,
      }),
      layerNorm(),
      sparse(20, { block: '4x4' }),
      sparse(3, { activation: 'linear' }),
    ],
    sparsity: 0.8,
    topology: uniform(),
    loss: 'squaredError',
    seed: 5,
    device: 'cpu',
  })
  const [first, hidden, third, , last] = twin.layers
  t.strictSame([first, third], [dropout(0.2), layerNorm()])
  t.match(hidden, {
    type: 'dense',
    activation: { type: 'srelu' },
    bias: false,
    initialization: { type: 'xavier' },
    dropConnect: 0.1,
  })
  t.match(last, { type: 'dense', outputs: 3, activation: { type: 'linear' } })
  t.match(twin, { inputs: 30, loss: 'squaredError', seed: 5, device: 'cpu' })
  t.notOk('sparsity' in twin || 'topology' in twin)
  new Network(twin).dispose()
  t.end()
})

t.test('never more weights, and one step wider would be more', { skip: noAddon }, (t) => {
  const width = fc.integer({ min: 5, max: 60 })
  fc.assert(
    fc.property(
      width,
      fc.array(width, { minLength: 1, maxLength: 3 }),
      fc.double({ min: 0, max: 0.8, noNaN: true }),
      (inputs, hidden, sparsity) => {
        const options = { inputs, layers: [...hidden.map((n) => sparse(n)), dense(4)], sparsity }
        const budget = weightsOf(options)
        const twin = denseTwin(options)
        const widths = widthsOf(twin).slice(0, -1)
        if (weightsOf(twin) > budget) return false
        if (widths.every((n, i) => n === hidden[i])) return true
        // The next factor at which any width grows.
        const next = Math.min(...hidden.map((n, i) => (widths[i]! + 1) / n)) + 1e-9
        const wider = hidden.map((n, i) => ({
          ...(twin.layers[i] as DenseLayer),
          outputs: Math.floor(next * n) || 1,
        }))
        return weightsOf({ ...twin, layers: [...wider, dense(4)] }) > budget
      },
    ),
    { numRuns: 200 },
  )
  t.end()
})

t.test('a network too sparse for any dense one is refused', { skip: noAddon }, (t) => {
  t.throws(() => denseTwin({ inputs: 100, layers: [sparse(10), dense(2)], sparsity: 0.95 }), {
    code: 'ERR_ESPALIER_OPTION',
    message:
      'denseTwin: the sparse network has 70 weights, and the smallest dense one of its depth, with hidden layers of one neuron, has 102; allowed: a lower sparsity, or wider layers',
  })
  t.throws(() => denseTwin({ inputs: 0, layers: [dense(2)] }), {
    message: /^denseTwin: option "inputs" is 0/,
  })
  t.end()
})

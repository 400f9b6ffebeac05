import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  type ImportOptions,
  importNetwork,
  type Network,
  type NumpyArray,
  type Tensor,
  writeNpz,
  writeSafetensors,
} from '../../lib/index.js'
import { clouds, noAddon, random } from '../model/support.js'
import { rejectsWith } from '../support/data.js'
import { samples } from './networks.js'

const skip = { skip: noAddon }
const sizes = [9, 14, 10, 3]

interface Layer {
  /** [outputs, inputs] */
  weight: Float64Array
  bias: Float64Array
}

/** Random weights of a perceptron, as PyTorch would name them. */
function perceptron(zeroBelow = 0): { layers: Layer[]; tensors: Tensor[] } {
  const draw = random(5)
  const layers = sizes.slice(1).map((outputs, i) => {
    const numbers = (length: number) => Float64Array.from({ length }, () => Math.fround(2 * draw() - 1))
    const weight = numbers(outputs * sizes[i]!).map((value) => (Math.abs(value) < zeroBelow ? 0 : value))
    return { weight, bias: numbers(outputs) }
  })
  const tensors = layers.flatMap(({ weight, bias }, i) => [
    { name: `fc${i + 9}.weight`, shape: [sizes[i + 1]!, sizes[i]!], data: Float32Array.from(weight) },
    { name: `fc${i + 9}.bias`, shape: [bias.length], data: Float32Array.from(bias) },
  ])
  // As in a file that is sorted by name: fc10, fc11, fc9.
  return { layers, tensors: tensors.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

/** Probabilities in float64. */
function predict(
  layers: readonly Layer[],
  rows: Float32Array,
  activate = (x: number) => Math.max(0, x),
): number[] {
  return Array.from({ length: rows.length / 9 }, (_, sample) => {
    let x = Array.from(rows.subarray(9 * sample, 9 * sample + 9))
    for (const [i, { weight, bias }] of layers.entries()) {
      const y = Array.from(bias, (start, o) =>
        x.reduce((sum, value, j) => sum + value * weight[o * x.length + j]!, start),
      )
      x = i + 1 === layers.length ? y : y.map(activate)
    }
    const powers = x.map((value) => Math.exp(value - Math.max(...x)))
    const sum = powers.reduce((a, b) => a + b)
    return powers.map((power) => power / sum)
  }).flat()
}

/** Keeps the `budget` largest magnitudes of a list of weights, in place. */
function keepLargest(lists: Float64Array[], budget: number): void {
  const limit = lists.flatMap((list) => Array.from(list, Math.abs)).sort((a, b) => b - a)[budget - 1]!
  for (const list of lists)
    list.forEach((value, i) => {
      if (Math.abs(value) < limit) list[i] = 0
    })
}

async function same(t: Test, network: Network, layers: readonly Layer[], activate?: (x: number) => number) {
  const rows = samples(30, 9)
  const expected = predict(layers, rows, activate)
  const given = await network.predict(rows)
  const far = Math.max(...expected.map((value, i) => Math.abs(value - given[i]!)))
  t.ok(far < 1e-6, `${far} away from the float64 reference`)
}

const connections = (network: Network) => network.summary().map((layer) => layer.connections)

t.test('a dense network comes in as it is', skip, async (t) => {
  const file = join(t.testdir(), 'mlp.safetensors')
  const { layers, tensors } = perceptron()
  await writeSafetensors(file, tensors, { format: 'pt' })
  using network = await importNetwork(file, { device: 'cpu' })
  t.strictSame(
    network.description.layers.map(({ type }) => type),
    ['dense', 'dense', 'dense'],
  )
  await same(t, network, layers)
  using tanh = await importNetwork(file, { activation: 'tanh', device: 'cpu', seed: 4 })
  await same(t, tanh, layers, Math.tanh)
  t.equal(tanh.description.seed, 4)
})

t.test('pruned by magnitude to an exact number of connections', skip, async (t) => {
  const file = join(t.testdir(), 'mlp.safetensors')
  for (const prune of ['layer', 'network'] as const) {
    const { layers, tensors } = perceptron()
    await writeSafetensors(file, tensors)
    using network = await importNetwork(file, { sparsity: 0.8, prune, device: 'cpu' })
    const hidden = layers.slice(0, 2).map(({ weight }) => weight)
    const groups = prune === 'layer' ? hidden.map((weight) => [weight]) : [hidden]
    const budgets = groups.map((group) => {
      const size = group.reduce((sum, { length }) => sum + length, 0)
      return size - Math.floor(0.8 * size)
    })
    for (const [i, group] of groups.entries()) keepLargest(group, budgets[i]!)
    await same(t, network, layers)
    const [first, second, last] = connections(network)
    if (prune === 'layer') t.strictSame([first, second, last], [126 - 100, 140 - 112, 30])
    else t.strictSame([first! + second!, last], [266 - 212, 30])
    t.equal(network.description.layers[2]!.type, 'dense')
    const { history } = await network.fit(clouds(60, 9, 3), { epochs: 2 })
    t.equal(history.length, 2, 'it trains')
  }
})

t.test('blocks are kept by their norm, also at the border', skip, async (t) => {
  const file = join(t.testdir(), 'mlp.safetensors')
  const { layers, tensors } = perceptron()
  await writeSafetensors(file, tensors)
  const named = [9, 10, 11].map((i) => ({
    weight: `fc${i}.weight`,
    bias: `fc${i}.bias`,
    type: 'sparse' as const,
  }))
  using network = await importNetwork(file, { layers: named, sparsity: 0.5, block: '4x4', device: 'cpu' })
  for (const [i, { weight }] of layers.entries()) {
    const [outputs, inputs] = [sizes[i + 1]!, sizes[i]!]
    const columns = Math.ceil(inputs / 4)
    const norms = new Float64Array(Math.ceil(outputs / 4) * columns)
    const blockOf = (at: number) =>
      Math.floor(Math.floor(at / inputs) / 4) * columns + Math.floor((at % inputs) / 4)
    weight.forEach((value, at) => {
      norms[blockOf(at)]! += value * value
    })
    keepLargest([norms], norms.length - Math.floor(norms.length / 2))
    weight.forEach((_, at) => {
      if (norms[blockOf(at)] === 0) weight[at] = 0
    })
    const { rowOffsets } = await network.pattern(i)
    t.equal(Number(rowOffsets.at(-1)), norms.filter((norm) => norm > 0).length)
  }
  await same(t, network, layers)
})

t.test('zeros of a masked network stay away, and masks say what is there', skip, async (t) => {
  const folder = t.testdir()
  const [zeros, masks] = [join(folder, 'zeros.npz'), join(folder, 'masks.npz')]
  const { layers, tensors } = perceptron(0.7)
  const arrays = new Map<string, NumpyArray>(
    tensors.map(({ name, shape, data }) => [name, { shape, data: Float64Array.from(data as Float32Array) }]),
  )
  await writeNpz(zeros, arrays, { compress: true })
  using network = await importNetwork(zeros, { device: 'cpu' })
  t.strictSame(
    connections(network),
    layers.map(({ weight }) => weight.filter((value) => value !== 0).length),
  )
  t.strictSame(
    network.description.layers.map(({ type }) => type),
    ['sparse', 'sparse', 'sparse'],
  )
  await same(t, network, layers)

  const full = perceptron()
  const mask = layers[0]!.weight.map((value) => (value === 0 ? 0 : 1))
  mask[0] = 1
  const weight = Float32Array.from(full.layers[0]!.weight).fill(0, 0, 1)
  await writeNpz(masks, {
    ...Object.fromEntries(full.tensors.map(({ name, shape, data }) => [name, { shape, data }])),
    'fc9.weight': { shape: [14, 9], data: weight },
    'fc9.mask': { shape: [14, 9], data: Uint8Array.from(mask), boolean: true },
  })
  const named = [9, 10, 11].map((i) => ({ weight: `fc${i}.weight`, bias: `fc${i}.bias` }))
  using masked = await importNetwork(masks, {
    layers: [{ ...named[0]!, mask: 'fc9.mask' }, ...named.slice(1)],
    device: 'cpu',
  })
  t.equal(
    connections(masked)[0],
    mask.filter((one) => one === 1).length,
    'a weight of 0 under the mask exists',
  )
  const first = full.layers[0]!.weight
  first.forEach((_, i) => {
    if (mask[i] === 0) first[i] = 0
  })
  first[0] = 0
  await same(t, masked, full.layers)
})

t.test('inputs first, and a layer without bias', skip, async (t) => {
  const file = join(t.testdir(), 'keras.npz')
  const { layers } = perceptron()
  const arrays: Record<string, NumpyArray> = {}
  for (const [i, { weight, bias }] of layers.entries()) {
    const [outputs, inputs] = [sizes[i + 1]!, sizes[i]!]
    const turned = Float32Array.from(
      weight,
      (_, at) => weight[(at % outputs) * inputs + Math.floor(at / outputs)]!,
    )
    arrays[`w${i}`] = { shape: [inputs, outputs], data: turned }
    if (i > 0) arrays[`b${i}`] = { shape: [outputs], data: Float32Array.from(bias) }
  }
  layers[0]!.bias.fill(0)
  await writeNpz(file, arrays)
  const named: ImportOptions['layers'] = [
    { weight: 'w0' },
    { weight: 'w1', bias: 'b1', sparsity: 0 },
    { weight: 'w2', bias: 'b2' },
  ]
  using network = await importNetwork(file, { layers: named, layout: 'inputsFirst', device: 'cpu' })
  await same(t, network, layers)
  t.strictSame(
    network.description.layers.map(({ type }) => type),
    ['dense', 'sparse', 'dense'],
  )
})

t.test('of equal weights the first stay', skip, async (t) => {
  const file = join(t.testdir(), 'equal.safetensors')
  await writeSafetensors(file, [
    { name: 'a.weight', shape: [2, 3], data: Float32Array.of(1, -1, 1, 2, 1, 1) },
  ])
  using network = await importNetwork(file, {
    layers: [{ weight: 'a.weight', type: 'sparse' }],
    sparsity: 0.5,
    device: 'cpu',
  })
  const { rowOffsets, columnIndices } = await network.pattern(0)
  t.strictSame(
    [[...rowOffsets].map(Number), [...columnIndices]],
    [
      [0, 2, 3],
      [0, 1, 0],
    ],
  )
})

t.test('what cannot become a network', skip, async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'mlp.safetensors')
  const { tensors } = perceptron()
  const given = async (change: (tensors: Map<string, Tensor>) => void, options: ImportOptions = {}) => {
    const all = new Map(tensors.map((tensor) => [tensor.name, tensor]))
    change(all)
    await writeSafetensors(file, [...all.values()])
    return importNetwork(file, options)
  }
  const put = (name: string, shape: number[], data: Tensor['data']) => (all: Map<string, Tensor>) =>
    all.set(name, { name, shape, data })
  const nothing = () => {}
  const weights = (value: number) => put('fc9.weight', [14, 9], new Float32Array(126).fill(value))
  const cases: [
    code: string,
    message: string,
    change: Parameters<typeof given>[0],
    options?: ImportOptions,
  ][] = [
    ['OPTION', 'what "scale" is cannot be told; option "layers"', put('scale', [1], Float32Array.of(1))],
    ['OPTION', 'no <name>.weight of two dimensions', (all) => all.clear()],
    [
      'DATA',
      '"fc10.weight" takes 13 inputs, and "fc9.weight", the layer before it, gives 14',
      put('fc10.weight', [10, 13], new Float32Array(130).fill(1)),
    ],
    [
      'DATA',
      '"fc9.bias" has shape [13]; "fc9.weight" has 14 neurons',
      put('fc9.bias', [13], new Float32Array(13)),
    ],
    ['DATA', '"fc9.weight" is Int32Array', put('fc9.weight', [14, 9], new Int32Array(126).fill(1))],
    ['DATA', '"fc9.weight" has NaN at element 0', weights(Number.NaN)],
    [
      'DATA',
      '"fc9.weight" has Infinity at element 0, or a number too large',
      put('fc9.weight', [14, 9], new Float64Array(126).fill(1e300)),
    ],
    ['DATA', 'has shape [0, 9]', put('fc9.weight', [0, 9], new Float32Array(0))],
    ['OPTION', '"fc9.weight" is left without a connection', weights(0)],
    [
      'OPTION',
      '1 of 126 connections of "fc9.weight" are not 0, and a sparsity of 0.5 asks for 63',
      put('fc9.weight', [14, 9], new Float32Array(126).fill(1, 0, 1)),
      { sparsity: 0.5 },
    ],
    [
      'OPTION',
      '"fc9.weight" is left without a connection',
      weights(1e-9),
      { sparsity: 0.9, prune: 'network' },
    ],
    [
      'NOT_FOUND',
      'there is no array "fc9.weights"; the nearest name is "fc9.weight"',
      nothing,
      { layers: [{ weight: 'fc9.weights' }] },
    ],
    ['OPTION', 'option "activation" is "srelu"', nothing, { activation: 'srelu' }],
    [
      'OPTION',
      'option "layers[0].sparsity" is 0.5; prune is "network"',
      nothing,
      { layers: [{ weight: 'fc9.weight', sparsity: 0.5 }], prune: 'network' },
    ],
    ['OPTION', 'option "prune" is "network"; there is no sparsity', nothing, { prune: 'network' }],
    ['OPTION', 'option "block" is "4x1"; no layer is sparse', nothing, { block: '4x1' }],
    [
      'OPTION',
      'option "sparsity" is 0.5; no layer is sparse',
      nothing,
      { sparsity: 0.5, layers: [{ weight: 'fc9.weight', type: 'dense' }] },
    ],
    [
      'OPTION',
      'the layer is dense',
      nothing,
      { layers: [{ weight: 'fc9.weight', sparsity: 0.5, type: 'dense' }] },
    ],
    [
      'OPTION',
      'option "layers" is 5; allowed: a list of one or more layers',
      nothing,
      { layers: 5 } as never,
    ],
    ['OPTION', 'did you mean "layout"', nothing, { layot: 'inputsFirst' } as never],
    [
      'DATA',
      '"fc9.bias" has shape [14]; that of "fc9.weight" is [14, 9]',
      nothing,
      { layers: [{ weight: 'fc9.weight', mask: 'fc9.bias' }] },
    ],
  ]
  for (const [code, message, change, options] of cases) {
    await rejectsWith(t, given(change, options), `ERR_ESPALIER_${code}`, message)
  }
  writeFileSync(file, 'PK\x03\x04 and so on')
  await rejectsWith(t, importNetwork(file), 'ERR_ESPALIER_FORMAT', file)
  await rejectsWith(t, importNetwork(join(folder, 'absent')), 'ERR_ESPALIER_NOT_FOUND', 'absent')
})

t.test('a header of a length that looks like a ZIP archive', skip, async (t) => {
  const file = join(t.testdir(), 'unlucky.safetensors')
  const weight = { name: 'a.weight', shape: [2, 1], data: Float32Array.of(1, 2) }
  // The low bytes of the header's length are 'PK' where it is 0x4b50.
  await writeSafetensors(file, [weight], { note: '' })
  const empty = Number(readFileSync(file).readBigUInt64LE(0))
  await writeSafetensors(file, [weight], { note: ' '.repeat(0x4b50 - empty) })
  t.equal(readFileSync(file).toString('latin1', 0, 2), 'PK')
  using network = await importNetwork(file, { device: 'cpu' })
  t.equal(network.description.inputs, 1)
})

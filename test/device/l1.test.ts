/** L1 by hand: one step of each optimizer on every instruction set and on the GPU, in float64 beside it. */
import t, { type Test } from 'tap'
import { type InstructionSet, type Optimizer, system } from '../../lib/index.js'
import { noAddon, random } from '../model/support.js'
import { inChild, noCuda } from './support.js'

const [inputs, outputs, rate, l1] = [5, 9, 0.1, 0.4]
const draw = random(8)
/** 45 weights: whole vectors of every instruction set and a rest; each fifth is exactly 0. */
const weights = Array.from({ length: inputs * outputs }, (_, i) =>
  i % 5 === 0 ? 0 : Math.fround(draw() * 4 - 2),
)
const x = Array.from({ length: inputs }, () => Math.fround(draw() * 2 - 1))
const targets = Array.from({ length: outputs }, () => Math.fround(draw() * 2 - 1))

const both = { learningRate: rate, weightDecay: 0.2, l1 }
const sgd = { type: 'sgd', ...both, nesterov: false } as const
const adam = { ...both, beta1: 0.9, beta2: 0.999, epsilon: 0.1 } as const
const optimizers: Record<string, Optimizer> = {
  'plain sgd': { ...sgd, momentum: 0 },
  momentum: { ...sgd, momentum: 0.9 },
  nesterov: { ...sgd, momentum: 0.9, nesterov: true },
  adam: { type: 'adam', ...adam },
  adamw: { type: 'adamw', ...adam },
  'no l1': { ...sgd, momentum: 0, l1: 0 },
}

/** Where a first step takes a number with this gradient of the loss; `penalised` as weights are and biases are not. */
function moved(optimizer: Optimizer, weight: number, slope: number, penalised: boolean): number {
  const decay = penalised ? optimizer.weightDecay : 0
  const gradient = slope + (penalised ? optimizer.l1 * Math.sign(weight) : 0)
  if (optimizer.type === 'sgd') {
    const g = gradient + decay * weight
    return weight - rate * (optimizer.nesterov ? g + optimizer.momentum * g : g)
  }
  // Both moments are corrected to those of the one gradient.
  const g = optimizer.type === 'adam' ? gradient + decay * weight : gradient
  const shrunk = optimizer.type === 'adamw' ? weight * (1 - rate * decay) : weight
  return shrunk - (rate * g) / (Math.abs(g) + optimizer.epsilon)
}

function expected(optimizer: Optimizer): { weights: number[]; biases: number[] } {
  const slopes = targets.map((target, o) => {
    const y = x.reduce((sum, value, i) => sum + weights[o * inputs + i]! * value, 0)
    return (2 / outputs) * (y - target)
  })
  return {
    weights: weights.map((weight, k) =>
      moved(optimizer, weight, slopes[Math.floor(k / inputs)]! * x[k % inputs]!, true),
    ),
    biases: slopes.map((slope) => moved(optimizer, 0, slope, false)),
  }
}

/** What one step of each optimizer makes of the weights, dense and in blocks, in a process of its own. */
const program = (device: string, folder: string) => `
  const { Network, sparse, dense, writeCheckpoint } = espalier
  const given = ${JSON.stringify({ inputs, outputs, weights, x, targets, optimizers, device, folder })}
  const data = { name: 'hand', samples: 1, features: given.inputs, values: Float32Array.from(given.x),
    targets: Float32Array.from(given.targets), outputs: given.outputs, classes: 0 }
  const answer = {}
  for (const layer of [
    dense(given.outputs),
    sparse(given.outputs, { activation: 'linear' }),
    sparse(given.outputs, { activation: 'linear', masked: true }),
  ]) {
    const options = { inputs: given.inputs, layers: [layer], loss: 'squaredError', device: given.device }
    const network = new Network(layer.type === 'sparse' ? { ...options, sparsity: 0 } : options)
    const start = await network.snapshot()
    start.tensors.find(({ name }) => /(weight|values)$/.test(name)).data.set(given.weights)
    const file = given.folder + '/start.safetensors'
    await writeCheckpoint(file, start)
    for (const [name, optimizer] of Object.entries(given.optimizers)) {
      const one = await Network.load(file, { device: given.device })
      await one.fit(data, { epochs: 1, batchSize: 1, optimizer, threads: 1 })
      const { tensors } = await one.snapshot()
      const get = (what) => Array.from(tensors.find((tensor) => what.test(tensor.name)).data)
      const kind = layer.type + (layer.masked ? ', masked' : '')
      answer[kind + ', ' + name] = { optimizer, weights: get(/(weight|values)$/), biases: get(/bias$/) }
    }
  }
  console.log(JSON.stringify(answer))
`

type Answer = Record<string, { optimizer: Optimizer; weights: number[]; biases: number[] }>

function check(t: Pick<Test, 'equal' | 'ok'>, answer: Answer): void {
  t.equal(Object.keys(answer).length, 18)
  for (const [name, given] of Object.entries(answer)) {
    const wanted = expected(given.optimizer)
    for (const what of ['weights', 'biases'] as const) {
      const apart = wanted[what].map((value, i) => Math.abs(value - given[what][i]!))
      t.ok(Math.max(...apart) < 3e-6, `${name}: ${what} are ${Math.max(...apart)} apart`)
    }
  }
}
const sets: InstructionSet[] = noAddon ? [] : system().instructionSets
t.test('on every instruction set', { skip: noAddon }, (t) => {
  for (const set of sets) {
    t.test(set, (t) => {
      check(t, inChild<Answer>(program('cpu', t.testdir()), { ESPALIER_INSTRUCTION_SET: set }))
      t.end()
    })
  }
  t.end()
})

t.test('on the GPU', { skip: noCuda }, (t) => {
  check(t, inChild<Answer>(program('cuda', t.testdir())))
  t.end()
})

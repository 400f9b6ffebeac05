/** DropConnect leaves out the same weights on every instruction set and on the GPU, scaled alike. */
import t, { type Test } from 'tap'
import { system } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { dropConnectFactor } from '../support/philox.js'
import { inChild, noCuda } from './support.js'

const [seed, rate, inputs, outputs, learningRate] = [4, 0.3, 23, 37, 0.5]

/**
 * One step on one sample that is 1 everywhere and wants 1 of outputs that are 0: a weight, which begins at 0, moves by its
 * own factor and the gradient of its output.
 */
const program = (device: string) => `
  const { Network, sparse, dense, sgd } = espalier
  const data = { name: 'ones', samples: 1, features: ${inputs}, values: new Float32Array(${inputs}).fill(1),
    targets: new Float32Array(${outputs}).fill(1), outputs: ${outputs}, classes: 0 }
  const options = { activation: 'linear', initialization: 'zeros', dropConnect: ${rate} }
  const answer = {}
  for (const [name, layer] of Object.entries({
    dense: dense(${outputs}, options),
    sparse: sparse(${outputs}, options),
    blocks: sparse(${outputs}, { ...options, block: '4x4' }),
    masked: sparse(${outputs}, { ...options, block: '3x5', masked: true }),
  })) {
    const network = new Network({ inputs: ${inputs}, layers: [layer], loss: 'squaredError', seed: ${seed},
      device: '${device}', ...(layer.type === 'sparse' ? { sparsity: 0.4 } : {}) })
    const optimizer = sgd({ learningRate: ${learningRate}, momentum: 0 })
    await network.fit(data, { epochs: 1, batchSize: 1, optimizer, threads: 1 })
    const { tensors } = await network.snapshot()
    answer[name] = Array.from(tensors.find(({ name }) => /(weight|values)$/.test(name)).data)
  }
  console.log(JSON.stringify(answer))
`

type Answer = Record<string, number[]>

function check(t: Pick<Test, 'ok'>, answer: Answer): void {
  // The gradient of an output is 2 / outputs x (0 - 1).
  const slope = -2 / outputs
  for (const [name, weights] of Object.entries(answer)) {
    const kept = weights.map((_, k) => -learningRate * slope * dropConnectFactor(rate, seed, 0, 1, k))
    // What blocks hold beyond the matrix stays 0 whatever its factor.
    const blocks = name === 'blocks' || name === 'masked'
    const wrong = weights.filter(
      (weight, k) => Math.abs(weight - kept[k]!) > 1e-7 && !(blocks && weight === 0),
    )
    t.ok(
      wrong.length === 0 && weights.length > 400,
      `${name}: ${wrong.length} of ${weights.length} are wrong`,
    )
    const share = weights.filter((weight) => weight !== 0).length / weights.length
    t.ok(blocks || Math.abs(share - (1 - rate)) < 0.1, `${name}: ${share} moved`)
  }
}

t.test('on every instruction set', { skip: noAddon }, (t) => {
  for (const set of noAddon ? [] : system().instructionSets) {
    check(t, inChild<Answer>(program('cpu'), { ESPALIER_INSTRUCTION_SET: set }))
  }
  t.end()
})

t.test('on the GPU', { skip: noCuda }, (t) => {
  check(t, inChild<Answer>(program('cuda')))
  t.end()
})

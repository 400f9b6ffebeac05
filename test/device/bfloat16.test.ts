/**
 * Training in bfloat16 on every instruction set: close to float32, the same bits on any number of threads, and whether or
 * not a growth by gradient may follow, for which the processor then keeps what it otherwise passes on rounded.
 */
import t from 'tap'
import { system } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { inChild } from './support.js'

const program = `
  const { dense, dropout, layerNorm, Network, rigl, sgd, sparse, staticTopology } = espalier
  const [inputs, classes, samples] = [83, 5, 600]
  // A step of a generator by Lehmer.
  let state = 1
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647
  const values = Float32Array.from({ length: samples * inputs }, () => next() - 0.5)
  const labels = Int32Array.from({ length: samples }, (_, i) => {
    const sums = Array.from({ length: classes }, (_, c) => values[i * inputs + c] + values[i * inputs + 40 + c])
    return sums.indexOf(Math.max(...sums))
  })
  const data = { name: 'sums', samples, features: inputs, values, labels, classes }
  const networks = {
    blocks: [sparse(128, { block: '16x16' }), sparse(72, { block: '8x8' }), sparse(40, { block: '32x32' }), dense(classes)],
    single: [sparse(70), sparse(50, { block: '1x4' }), sparse(33, { block: '5x7' }), dense(classes)],
    mixed: [sparse(100, { block: '8x16', activation: 'tanh' }), dropout(0.2), sparse(72, { block: '16x8' }),
      layerNorm(), sparse(40), sparse(24, { block: '8x24' }), dense(classes)],
    odd: [sparse(120, { block: '32x32', activation: 'srelu' }), sparse(50, { block: '3x5' }),
      sparse(64, { block: '16x16', activation: 'gelu' }), sparse(48, { block: '4x1' }), sparse(classes, { block: '8x8', activation: 'linear' })],
  }
  async function trained(layers, precision, threads, rewire, batchSize) {
    const network = new Network({ inputs, layers, sparsity: 0.5, loss: 'softmaxCrossEntropy', seed: 3, precision })
    const before = await network.evaluate(data, { threads })
    await network.fit(data, { epochs: 1, batchSize, optimizer: sgd({ learningRate: 0.05 }), rewire, threads })
    const { tensors } = await network.snapshot()
    const after = await network.evaluate(data, { threads })
    const bits = tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'))
    return { bits: bits.join() + after.loss, losses: [before.loss, after.loss] }
  }
  const answer = {}
  for (const [name, layers] of Object.entries(networks)) {
    for (const batchSize of [40, 128, 300]) {
      const exact = await trained(layers, 'float32', 1, staticTopology(), batchSize)
      const rounded = await trained(layers, 'bfloat16', 1, staticTopology(), batchSize)
      const threads = []
      for (const count of [2, 3]) threads.push(await trained(layers, 'bfloat16', count, staticTopology(), batchSize))
      const growing = await trained(layers, 'bfloat16', 2, rigl({ every: 1000 }), batchSize)
      answer[name + ', batch ' + batchSize] = {
        exact: exact.losses, rounded: rounded.losses, differs: exact.bits !== rounded.bits,
        threads: threads.every(({ bits }) => bits === rounded.bits), growing: growing.bits === rounded.bits,
      }
    }
  }
  console.log(JSON.stringify(answer))
`

interface Trained {
  exact: [before: number, after: number]
  rounded: [before: number, after: number]
  differs: boolean
  threads: boolean
  growing: boolean
}

t.test('on every instruction set', { skip: noAddon }, (t) => {
  for (const set of noAddon ? [] : system().instructionSets) {
    const answer = inChild<Record<string, Trained>>(program, { ESPALIER_INSTRUCTION_SET: set })
    for (const [name, { exact, rounded, differs, threads, growing }] of Object.entries(answer)) {
      t.ok(exact[1] < exact[0], `${set}, ${name}: something is learnt`)
      for (const i of [0, 1] as const)
        t.ok(
          Math.abs(rounded[i] - exact[i]) < 1e-2 * exact[i],
          `${set}, ${name}: loss ${rounded[i]}, exact ${exact[i]}`,
        )
      t.ok(differs, `${set}, ${name}: is rounded`)
      t.ok(threads, `${set}, ${name}: the same bits on any number of threads`)
      t.ok(growing, `${set}, ${name}: the same bits where the batch is kept`)
    }
  }
  t.end()
})

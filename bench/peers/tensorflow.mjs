// Masked dense layers in TensorFlow.js, WASM backend with SIMD: what a Node user has today without native code.
// Usage, in the folder that holds the packages: node tensorflow.mjs '<task as JSON>'
//
// The weights start masked and every gradient is masked, so that they stay masked. The backend runs on one thread in
// Node, whatever is asked: its authors switched threads off there (tensorflow/tfjs issue 3830).
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(join(process.cwd(), 'package.json'))
const tf = require('@tensorflow/tfjs')
const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm')
setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`)
await tf.setBackend('wasm')
await tf.ready()

const task = JSON.parse(process.argv[2])
const { sizes, batch, samples } = task

function read(name, Type) {
  const { buffer, byteOffset, byteLength } = readFileSync(join(task.folder, name))
  return new Type(buffer.slice(byteOffset, byteOffset + byteLength))
}

const values = tf.tensor2d(read('values', Float32Array), [samples, sizes[0]])
const labels = tf.oneHot(tf.tensor1d(read('labels', Int32Array), 'int32'), sizes.at(-1))
const order = read('order', Int32Array)
const batches = Array.from({ length: samples / batch }, (_, i) =>
  tf.tensor1d(order.slice(i * batch, (i + 1) * batch), 'int32'),
)

/** Weights are inputs x outputs, as TensorFlow has them. */
function weightOf(layer) {
  const [inputs, outputs] = [sizes[layer], sizes[layer + 1]]
  if (layer === sizes.length - 2) {
    const weight = tf.tensor2d(read(`layers.${layer}.weight`, Float32Array), [outputs, inputs])
    return { weight: tf.variable(tf.transpose(weight)), mask: null }
  }
  const offsets = read(`layers.${layer}.crow_indices`, BigInt64Array)
  const columns = read(`layers.${layer}.col_indices`, Int32Array)
  const numbers = read(`layers.${layer}.values`, Float32Array)
  const [weight, mask] = [new Float32Array(inputs * outputs), new Float32Array(inputs * outputs)]
  for (let row = 0; row < outputs; row++) {
    for (let k = Number(offsets[row]); k < Number(offsets[row + 1]); k++) {
      weight[columns[k] * outputs + row] = numbers[k]
      mask[columns[k] * outputs + row] = 1
    }
  }
  return {
    weight: tf.variable(tf.tensor2d(weight, [inputs, outputs])),
    mask: tf.tensor2d(mask, [inputs, outputs]),
  }
}

/**
 * The backend multiplies by XNNPACK, except where a factor is to be transposed, and there by plain loops: the gradient
 * that transposes first can be the faster one.
 */
const transposing = tf.customGrad((inputs, weight, save) => {
  save([inputs, weight])
  return {
    value: tf.matMul(inputs, weight),
    gradFunc: (gradient, [inputs, weight]) => [
      tf.matMul(gradient, tf.transpose(weight)),
      tf.matMul(tf.transpose(inputs), gradient),
    ],
  }
})

function start(product) {
  const layers = sizes.slice(1).map((size, i) => ({ ...weightOf(i), bias: tf.variable(tf.zeros([size])) }))
  const optimizer = tf.train.momentum(task.learningRate, task.momentum, task.nesterov)
  const forward = (inputs, targets) => {
    const outputs = layers.reduce((activations, { weight, bias, mask }) => {
      const sums = tf.add(product(activations, weight), bias)
      return mask === null ? sums : tf.relu(sums)
    }, inputs)
    return tf.losses.softmaxCrossEntropy(targets, outputs)
  }
  return (indices) =>
    tf.tidy(() => {
      const [inputs, targets] = [tf.gather(values, indices), tf.gather(labels, indices)]
      const { value, grads } = tf.variableGrads(() => forward(inputs, targets))
      for (const { weight, mask } of layers) {
        if (mask !== null) grads[weight.name] = tf.mul(grads[weight.name], mask)
      }
      optimizer.applyGradients(grads)
      return value
    })
}

function train(step, index) {
  const loss = step(batches[index % batches.length])
  const value = loss.dataSync()[0]
  loss.dispose()
  return value
}

/** Milliseconds of each step, after three to warm up. */
function timesOf(step, begin, seconds) {
  for (let i = 0; i < 3; i++) train(step, begin + i)
  const times = []
  const end = performance.now() + 1000 * seconds
  while (times.length < 5 || performance.now() < end) {
    const start = performance.now()
    train(step, begin + 3 + times.length)
    times.push(performance.now() - start)
  }
  return times
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

const ways = {
  'gradients by tf.matMul': tf.matMul,
  'gradients by transposing first': transposing,
}
const quickest = Object.entries(ways).map(([name, product]) => ({
  name,
  product,
  time: median(timesOf(start(product), 0, task.seconds / 8)),
}))
const { name, product } = quickest.reduce((best, one) => (one.time < best.time ? one : best))
const step = start(product)
const losses = Array.from({ length: task.checkSteps }, (_, i) => train(step, i))
console.log(
  JSON.stringify({
    version: tf.version_core,
    note: `one thread, ${name}`,
    loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    milliseconds: timesOf(step, task.checkSteps, task.seconds),
  }),
)
process.exit(0)

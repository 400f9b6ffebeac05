// Espalier's side of a task. Usage: node espalier.js '<task as JSON>'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadBenchAddon } from '../addon.js'
import { espalier, networkOf } from './network.js'
import type { Outcome, Task } from './task.js'

const task = JSON.parse(process.argv[2] ?? '') as Task
const { sizes, batch, samples, threads, sparsity, learningRate, momentum, nesterov } = task
const features = sizes[0]!

function read(name: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(join(task.folder, name))
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}

/** The samples in the order in which the peers take them. */
function dataset() {
  const [values, labels, order] = [
    new Float32Array(read('values')),
    new Int32Array(read('labels')),
    new Int32Array(read('order')),
  ]
  const sorted = new Float32Array(new SharedArrayBuffer(values.byteLength))
  for (const [i, sample] of order.entries()) {
    sorted.set(values.subarray(sample * features, (sample + 1) * features), i * features)
  }
  return {
    name: task.name,
    samples,
    features,
    values: sorted,
    labels: labels.map((_, i) => labels[order[i]!]!),
    classes: sizes.at(-1)!,
  }
}

const optimizer = espalier.sgd({ learningRate, momentum, nesterov })
const all = dataset()
const settings = { batchSize: batch, optimizer, threads }

/** Mean loss of the first batches, each before its update. */
async function firstLoss(): Promise<number> {
  using network = networkOf(task)
  const count = task.checkSteps * batch
  const first = { ...all, samples: count, values: all.values.subarray(0, count * features) }
  const { trainLoss } = await network.fit(
    { ...first, labels: all.labels.subarray(0, count) },
    { ...settings, epochs: 1, shuffle: false },
  )
  return trainLoss ?? Number.NaN
}

/** Single steps, as the peers are timed: what is drawn here differs from the task's files, what is done does not. */
function singleSteps(): number[] {
  const step = loadBenchAddon().sparseStep({ sizes, batch, threads, sparsity, block: [1, 1] })
  for (let i = 0; i < 10; i++) step()
  const milliseconds: number[] = []
  const end = performance.now() + 1000 * task.seconds
  while (milliseconds.length < 5 || performance.now() < end) {
    const start = performance.now()
    step()
    milliseconds.push(performance.now() - start)
  }
  return milliseconds
}

/** Whole epochs of `fit`, which unlike the benchmark's single step knows Nesterov: the mean step of each. */
async function stepsOfEpochs(): Promise<number[]> {
  using network = networkOf(task)
  const stop = new AbortController()
  const milliseconds: number[] = []
  const end = performance.now() + 1000 * task.seconds
  const run = network.fit(all, { ...settings, epochs: 1_000_000, signal: stop.signal })
  for await (const event of run) {
    if (event.type !== 'epoch') continue
    // The first epoch warms up.
    if (event.epoch > 1) milliseconds.push((1000 * event.seconds * batch) / samples)
    if (milliseconds.length >= 5 && performance.now() > end) stop.abort()
  }
  return milliseconds
}

const outcome: Outcome = {
  version: espalier.system().version,
  note: 'blocks of 1 x 1',
  loss: await firstLoss(),
  milliseconds: nesterov ? await stepsOfEpochs() : singleSteps(),
}
console.log(JSON.stringify(outcome))

import { readFileSync } from 'node:fs'
import { loadEspalier } from './espalier.js'
import { type MemoryCase, memoryShape } from './memory.js'

const { Network, dense, rigl, sgd, sparse, staticTopology } = await loadEspalier()

function megabytes(field: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${field}:\\s+(\\d+)`))
  return Number(line?.[1]) / 1024
}

/** Trains a few steps of momentum SGD; returns the megabytes that this took at the highest. */
async function train({ sparsity, block, rewires }: MemoryCase): Promise<number> {
  const { width, hidden, batch } = memoryShape
  const samples = 2 * batch
  const values = new Float32Array(new SharedArrayBuffer(4 * samples * width)).map((_, i) => Math.sin(i))
  const labels = Int32Array.from({ length: samples }, (_, i) => i % 10)
  const data = { name: 'waves', samples, features: width, values, labels, classes: 10 }
  const layer = () =>
    sparsity === 0 ? dense(width, { activation: 'relu' }) : sparse(width, { activation: 'relu', block })
  const before = megabytes('VmRSS')
  const network = new Network({
    inputs: width,
    layers: [...Array.from({ length: hidden }, layer), dense(10)],
    ...(sparsity > 0 && { sparsity }),
    device: 'cpu',
  })
  await network.fit(data, {
    epochs: 4,
    batchSize: batch,
    optimizer: sgd({ learningRate: 0.001, momentum: 0.9 }),
    rewire: rewires ? rigl({ every: 3, until: 1 }) : staticTopology(),
  })
  return megabytes('VmHWM') - before
}

const peak = await train(JSON.parse(process.argv[2] ?? '') as MemoryCase)
process.send?.(peak, () => process.disconnect())

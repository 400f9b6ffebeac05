import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dense, digits, Network, rigl, sgd, sparse } from './setting.js'

// A run with a checkpoint every few steps: begun, or gone on with where the last checkpoint is; prints a digest of what it
// came to. It is killed by its parent at any moment.

const [path, threads] = [process.argv[2]!, Number(process.argv[3])]
const { train } = digits({ train: 512, test: 10, seed: 1 })

const settings = {
  epochs: 12,
  batchSize: 32,
  optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
  rewire: rigl({ every: 11 }),
}
const network = existsSync(path)
  ? await Network.load(path)
  : new Network({
      inputs: train.features,
      layers: [sparse(256, { activation: 'relu' }), sparse(128, { activation: 'relu' }), dense(10)],
      sparsity: 0.8,
      seed: 4,
    })
const resume = network.progress.steps > 0
process.stdout.write('begins\n')
await network.fit(train, {
  ...settings,
  threads,
  resume,
  checkpoint: { path, every: { steps: 3 }, keep: { last: 2, best: true } },
})
const digest = createHash('sha256')
for (const { name, data } of (await network.snapshot()).tensors) {
  digest.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}
process.stdout.write(`${digest.digest('hex')}\n`)

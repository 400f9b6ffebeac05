// Trains a sparse network and says how well it does. See README.md.
import { parseArgs } from 'node:util'
import { dense, Network, resolveDataset, rigl, sgd, sparse } from 'espalier'

const options = { data: { type: 'string', default: 'digits' }, epochs: { type: 'string', default: '5' } }
const { data, epochs } = parseArgs({ options }).values

const { train, test } = await resolveDataset(data)
const network = new Network({
  inputs: train.features,
  layers: [sparse(256), sparse(256), dense(train.classes)],
  sparsity: 0.9,
})
const run = network.fit(train, {
  epochs: Number(epochs),
  optimizer: sgd({ learningRate: 0.05 }),
  rewire: rigl(),
  validation: test,
})
for await (const event of run) {
  if (event.type !== 'epoch') continue
  console.log(`epoch ${event.epoch}: ${(100 * event.validation.accuracy).toFixed(1)} % of test samples right`)
}
await network.save('model.safetensors')

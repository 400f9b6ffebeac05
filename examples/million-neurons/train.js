// A network of one million hidden neurons, trained from scratch. See README.md.
import { dense, digits, epsilon, Network, set, sgd, sparse } from 'espalier'

const hidden = 500_000
const { train, test } = digits({ train: 2000, test: 500 })

const network = new Network({
  inputs: train.features,
  layers: [sparse(hidden), sparse(hidden), dense(train.classes)],
  // Eight connections for every input and every output of a layer, as in SET's paper: a dense layer between the
  // hidden neurons would need 250 billion weights, which is a terabyte.
  topology: epsilon(8),
  seed: 1,
})
const connections = network.summary().reduce((sum, layer) => sum + layer.connections, 0)
console.log(`${2 * hidden} hidden neurons, ${connections} connections`)

const run = network.fit(train, {
  epochs: 5,
  batchSize: 100,
  optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
  rewire: set(),
  validation: test,
})
let began = performance.now()
for await (const event of run) {
  if (event.type !== 'epoch') continue
  const seconds = (performance.now() - began) / 1000
  began = performance.now()
  console.log(
    `epoch ${event.epoch}: ${seconds.toFixed(1)} s, test accuracy ${(100 * event.validation.accuracy).toFixed(1)} %, ` +
      `${(process.memoryUsage.rss() / 2 ** 30).toFixed(2)} GiB`,
  )
}

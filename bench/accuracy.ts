import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Table from 'cli-table3'
import { Command, InvalidArgumentError } from 'commander'
import { loadEspalier } from './espalier.js'
import type { BlockName } from './records.js'
import { accuracyRows } from './report/apart.js'
import { type AccuracyRecord, resultFolder } from './results.js'
import { blocks } from './suites/plan.js'

// What blocks and bfloat16 cost in accuracy: Fashion-MNIST, trained with several seeds through the public API. The test part
// is looked at once, after the last epoch.

const dataset = 'fashion-mnist'
const hidden = [1024, 1024] as const
const sparsity = 0.9

interface Options {
  data?: string
  epochs: number
  seeds: number
  json: string
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('A whole number from 1 is needed.')
  return value
}

const command = new Command('npm run bench:accuracy --')
  .description('Trains Fashion-MNIST with every block shape, in float32 and bfloat16, with several seeds.')
  .option('--data <folder>', 'look for the data set here first')
  .option('--epochs <number>', 'passes over the training data', whole, 10)
  .option('--seeds <number>', 'networks of each kind, with the seeds 1, 2 and so on', whole, 5)
  .option('--json <file>', 'where the accuracies go', join(resultFolder, 'accuracy-fashion-mnist.json'))
  .parse()
const options = command.opts<Options>()

const { Network, cosine, dense, listDatasets, loadDataset, rigl, sgd, sparse } = await loadEspalier()
const dataDirectory = options.data === undefined ? {} : { dataDirectory: options.data }
const listed = (await listDatasets(dataDirectory)).find(({ name }) => name === dataset)
if (listed === undefined || listed.files.length === 0) {
  console.log(
    `Skipped: ${dataset} is not on this machine; "espalier data get ${dataset}" fetches it, or say --data.`,
  )
  process.exit()
}
const { train, test } = await loadDataset(dataset, dataDirectory)

interface Kind {
  block: BlockName | 'dense'
  precision: 'float32' | 'bfloat16'
}

async function accuracyOf({ block, precision }: Kind, seed: number): Promise<number> {
  const layer = (width: number) =>
    block === 'dense' ? dense(width, { activation: 'relu' }) : sparse(width, { activation: 'relu', block })
  using network = new Network({
    inputs: train.features,
    layers: [...hidden.map(layer), dense(train.classes)],
    ...(block !== 'dense' && { sparsity }),
    device: 'cpu',
    precision,
    seed,
  })
  // As `espalier train` does by default.
  await network.fit(train, {
    epochs: options.epochs,
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4 }),
    learningRateSchedule: cosine(),
    ...(block !== 'dense' && { rewire: rigl({ every: 100 }) }),
  })
  return (await network.evaluate(test)).accuracy ?? Number.NaN
}

const kinds: Kind[] = [
  { block: 'dense', precision: 'float32' },
  ...blocks.flatMap((block) => (['float32', 'bfloat16'] as const).map((precision) => ({ block, precision }))),
]
const shape = [train.features, ...hidden, train.classes].join('-')
const records: AccuracyRecord[] = []
for (const kind of kinds) {
  for (let seed = 1; seed <= options.seeds; seed++) {
    const accuracy = await accuracyOf(kind, seed)
    const share = kind.block === 'dense' ? 0 : sparsity
    records.push({ dataset, shape, epochs: options.epochs, ...kind, sparsity: share, seed, accuracy })
    console.error(`${kind.block} ${kind.precision}, seed ${seed}: ${(100 * accuracy).toFixed(2)} %`)
  }
}
mkdirSync(dirname(options.json), { recursive: true })
writeFileSync(options.json, `${JSON.stringify(records, null, 1)}\n`)

const head = ['block', 'precision', 'sparsity', 'test accuracy']
const table = new Table({ head, style: { head: [], border: [], compact: true } })
table.push(...accuracyRows(records))
console.log(table.toString())

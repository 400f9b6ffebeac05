/** Rules of the host give the same connections whichever device made the gradients. */
import path from 'node:path'
import t from 'tap'
import {
  type Dataset,
  granet,
  importancePruning,
  invertedRigl,
  Network,
  npset,
  pruneNeurons,
  type RewireRule,
  rigl,
  setItop,
  sgd,
  writeCheckpoint,
} from '../../lib/index.js'
import { random } from '../model/support.js'
import { data, noCuda, pair, topologyOf, weightDistance } from './support.js'

/** So small that no weight of a usual size changes by it. */
const optimizer = sgd({ learningRate: 1e-30 })
const epochs = 6

const rules: Record<string, RewireRule> = {
  'inverted RigL': invertedRigl({ every: 5, until: 1 }),
  GraNet: granet({ every: 5, finalSparsity: 0.8 }),
  NPSET: npset({}, { from: 0, until: 0.8 }),
  'RigL and neurons': rigl({ every: 5, until: 1, neurons: pruneNeurons({ budget: 'release' }) }),
  'importance pruning': setItop({ every: 5, neurons: importancePruning({ from: 0, every: 2 }) }),
}

/** Small whole numbers, so that every sum of every product is exact in any order. */
const draw = random(3)
const below = (count: number) => Math.floor(draw() * count)
const wholeNumbers: Dataset = {
  ...data,
  values: Float32Array.from(data.values, () => below(3) - 1),
}

for (const [name, rewire] of Object.entries(rules)) {
  t.test(name, { skip: noCuda }, async (t) => {
    const networks = pair()
    const options = { epochs, batchSize: 16, optimizer, rewire, validation: wholeNumbers }
    const expected = await networks.cpu.fit(wholeNumbers, { ...options, threads: 1 })
    const result = await networks.cuda.fit(wholeNumbers, options)
    t.ok(expected.rewirings.length > 1)
    t.strictSame(result.rewirings, expected.rewirings)
    const [a, b] = [await networks.cpu.snapshot(), await networks.cuda.snapshot()]
    t.strictSame(topologyOf(b), topologyOf(a), 'the same connections')
    t.strictSame(memoryOf(b), memoryOf(a), 'and rules remember the same')
    const apart = weightDistance(a, b)
    t.ok(apart < 1e-5, `weights and optimizer state are ${apart} apart`)
    t.strictSame(networks.cuda.summary(), networks.cpu.summary())

    const file = path.join(t.testdir(), 'shrunk.safetensors')
    await writeCheckpoint(file, b)
    const loaded = await Network.load(file, { device: 'cuda' })
    const { loss } = await loaded.evaluate(wholeNumbers)
    t.ok(Math.abs(loss - result.validation!.loss) < 1e-4, 'as the device that was made anew said')
  })
}

const memoryOf = ({ tensors }: Awaited<ReturnType<Network['snapshot']>>) =>
  tensors.filter(({ name }) => name.includes('.rewire.'))

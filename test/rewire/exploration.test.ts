import path from 'node:path'
import t from 'tap'
import { dense, Network, rigl, riglItop, set, setItop, sparse } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { weightsOf } from './support.js'

const data = clouds(160, 12, 3)

/** Positions of the two sparse layers that have a connection, as one number each. */
async function positions(network: Network): Promise<number[]> {
  const snapshot = await network.snapshot()
  return [0, 1].flatMap((layer) =>
    weightsOf(snapshot, layer)
      .flat()
      .flatMap((weight, position) => (weight === null ? [] : [layer * 1e6 + position])),
  )
}

t.test('R_s is the share of positions that ever had a connection', { skip: noAddon }, async (t) => {
  for (const rewire of [
    set({ every: 13, trackExploration: true }),
    rigl({ every: 13, until: 1, trackExploration: true }),
  ]) {
    const network = new Network({
      inputs: 12,
      layers: [sparse(17), sparse(10), dense(3)],
      sparsity: 0.8,
      device: 'cpu',
    })
    t.equal(network.exploration(), null)
    const explored = new Set(await positions(network))
    const size = 17 * 12 + 10 * 17
    // An epoch of ten steps at a time: connections move at most once between two looks.
    let told: readonly { exploration: number | null }[] = []
    for (let epochs = 1; epochs <= 6; epochs++) {
      const settings = { epochs, batchSize: 16, rewire, threads: 1, resume: true }
      const { rewirings } = await network.fit(data, settings)
      t.ok(rewirings.length <= 1)
      told = rewirings[0]?.layers ?? told
      for (const position of await positions(network)) explored.add(position)
    }
    t.equal(network.progress.rewirings, 4)
    const layers = network.summary().map(({ exploration }) => exploration)
    t.equal(layers[2], null, 'a dense layer has nothing to explore')
    t.strictSame(
      told.map(({ exploration }) => exploration),
      layers.slice(0, 2),
    )
    t.ok(Math.abs(network.exploration()! * size - explored.size) < 1e-9 * size)
    t.ok(network.exploration()! > 0.21 && network.exploration()! < 0.5, String(network.exploration()))
    const file = path.join(t.testdir(), 'explored.safetensors')
    await network.save(file)
    t.equal((await Network.load(file)).exploration(), network.exploration(), 'it is saved')
  }
})

t.test('the fraction falls to its minimum', { skip: noAddon }, async (t) => {
  const network = new Network({ inputs: 12, layers: [sparse(40), dense(3)], sparsity: 0.2 })
  const { rewirings } = await network.fit(data, {
    epochs: 10,
    batchSize: 16,
    rewire: riglItop({ every: 10 }),
  })
  const steps = 100
  t.equal(rewirings.length, 9)
  for (const { step, fraction } of rewirings) {
    const expected = 0.005 + ((0.5 - 0.005) / 2) * (1 + Math.cos((Math.PI * step) / steps))
    t.ok(Math.abs(fraction - expected) < 1e-12, `step ${step}: ${fraction}`)
  }
})

t.test('presets', (t) => {
  t.match(setItop(), { type: 'set', every: 1500, fraction: 0.5, minimumFraction: 0.005, until: 1 })
  t.match(riglItop({ every: 7 }), { type: 'rigl', every: 7, fraction: 0.5, trackExploration: true })
  const absent = { every: undefined, fraction: undefined } as object
  t.strictSame(setItop(absent), setItop(), 'undefined counts as not given')
  t.strictSame(riglItop(absent), riglItop())
  t.throws(() => riglItop(null as never), { message: 'rigl: options are null; allowed: an object' })
  t.throws(() => set({ minimumFraction: 0.1 }), {
    message:
      "set: option \"minimumFraction\" is 0.1; fractionSchedule is 'constant'; allowed: 0, or fractionSchedule: 'cosine'",
  })
  t.throws(() => rigl({ minimumFraction: 0.4 }), {
    message: 'rigl: option "minimumFraction" is 0.4; allowed: up to the fraction, 0.3',
  })
  t.end()
})

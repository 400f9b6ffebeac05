import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { BenchAddon } from '../../bench/addon.js'
import { adam, dense, importancePruning, Network, set, sparse } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const benchAddon = fileURLToPath(new URL('../../build/Release/espalier_bench.node', import.meta.url))
const skip = noAddon || (!existsSync(benchAddon) && 'the benchmark is not built')

/** What V8 knows of memory outside its heap, without what nobody holds any more. */
function external(): number {
  collect()
  const { externalMemory } = createRequire(import.meta.url)(benchAddon) as BenchAddon
  return externalMemory()
}

const data = clouds(256, 1000, 3)

/** Some 12 MB, so that buffers of the test itself do not matter. */
const large = () =>
  new Network({
    inputs: 1000,
    layers: [sparse(1000), sparse(1000), dense(3)],
    sparsity: 0.7,
    device: 'cpu',
  })

t.test('V8 is told what a network holds, as it changes', { skip }, async (t) => {
  const start = external()
  const told = () => external() - start
  const near = (bytes: number) => Math.abs(told() - bytes) < 1e6
  const follows = async (bytes: number, when: string) => {
    // Buffers of files are given back in the background.
    for (let i = 0; i < 100 && !near(bytes); i++) await setTimeout(20)
    t.ok(near(bytes), `${when}: ${told()} bytes told of ${bytes}`)
  }
  const network = large()
  const { parameters, pattern } = network.memory()
  t.ok(parameters + pattern > 8e6)
  await follows(parameters + pattern, 'made')

  let during = 0
  const run = network.fit(data, {
    epochs: 4,
    batchSize: 64,
    optimizer: adam(),
    rewire: set({ neurons: importancePruning({ from: 0, every: 2, percentile: 50 }) }),
    observe: (run) => ({
      event({ type }) {
        if (type !== 'epoch' || during > 0) return
        during = run.stats().bytes.total
        t.ok(near(during), `training: ${told()} bytes told of ${during}`)
      },
    }),
  })
  await run
  const after = network.memory()
  t.ok(after.optimizer > 1e6)
  t.ok(after.parameters < 0.7 * parameters, 'the network shrank')
  await follows(after.parameters + after.pattern + after.optimizer, 'trained and pruned')

  const file = path.join(t.testdir(), 'model.safetensors')
  await network.save(file)
  network.dispose()
  await follows(0, 'disposed of')
  const loaded = await Network.load(file, { device: 'cpu' })
  const again = loaded.memory()
  await follows(again.parameters + again.pattern + again.optimizer, 'loaded')
  loaded.dispose()
  await follows(0, 'disposed of again')
})

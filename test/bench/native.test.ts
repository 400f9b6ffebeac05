import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { BenchAddon, LibraryName, Workload } from '../../bench/addon.js'

const path = fileURLToPath(new URL('../../build/Release/espalier_bench.node', import.meta.url))
const skip = !existsSync(path) && 'the benchmark is not built'
const addon = skip ? ({} as BenchAddon) : (createRequire(import.meta.url)(path) as BenchAddon)

const allLibraries: readonly LibraryName[] = ['OpenBLAS', 'BLIS', 'oneDNN']
// Sizes that no vector and no block divides, and a batch that is not a whole panel.
const layer = { outputs: 37, inputs: 29, batch: 19 }
const network = { sizes: [29, 37, 23, 5], batch: 19 }
const blocks = [
  [1, 1],
  [4, 1],
  [8, 8],
] as const

/** Twice, since what comes after the first call may differ. */
function runs(t: Test, workload: Workload): void {
  t.doesNotThrow(() => {
    workload()
    workload()
  })
}

t.test('tells instruction set and libraries', { skip }, async (t) => {
  t.match(addon.instructionSet(), /^(baseline|avx2|avx512|avx512bf16|amx|neon)$/)
  const { found, missing } = addon.libraries()
  t.same([...found, ...missing].map(({ name }) => name).sort(), [...allLibraries].sort())
  for (const { description } of found) t.match(description, /\d+\.\d+/)
  for (const { reason } of missing) t.ok(reason)
})

t.test('sparse workloads run', { skip }, async (t) => {
  for (const block of blocks) {
    for (const threads of [1, 2]) {
      const sparse = { sparsity: 0.8, block, threads }
      for (const product of ['forward', 'inputGradient', 'weightGradient'] as const)
        runs(t, addon.sparseProduct({ ...layer, ...sparse, product }))
      runs(t, addon.sparseStep({ ...network, ...sparse }))
      runs(t, addon.sparseEpoch({ ...network, ...sparse, samples: 50 }))
      for (const rule of ['set', 'rigl'] as const) runs(t, addon.rewiring({ ...network, ...sparse, rule }))
      for (const batch of [1, 19]) runs(t, addon.sparseInference({ ...network, ...sparse, batch }))
    }
  }
})

t.test('both gradients of single weights run in every way that layers go', { skip }, async (t) => {
  // Short rows on a divided team, long ones, panels side by side, and chunks that settle (600,000 weights).
  for (const [outputs, inputs, batch, sparsity] of [
    [40, 30, 16, 0.5],
    [300, 200, 32, 0],
    [40, 30, 256, 0.5],
    [1000, 1000, 300, 0.4],
  ] as const) {
    for (const threads of [1, 2])
      runs(t, addon.sparseBackward({ outputs, inputs, batch, sparsity, threads, block: [1, 1] }))
  }
  t.throws(() => addon.sparseBackward({ ...layer, sparsity: 0.5, threads: 1, block: [4, 1] }), {
    message: /single weights/,
  })
})

for (const library of allLibraries) {
  const here = !skip && addon.libraries().found.some(({ name }) => name === library)
  t.test(`dense workloads run by ${library}`, { skip: !here && `${library} is not here` }, async (t) => {
    for (const threads of [1, 2]) {
      for (const sliced of [false, true]) {
        const dense = { library, sliced, threads }
        for (const product of ['forward', 'inputGradient', 'weightGradient'] as const)
          runs(t, addon.denseProduct({ ...layer, ...dense, product }))
        for (const mask of [{ masked: false }, { masked: true, sparsity: 0.8 }] as const) {
          runs(t, addon.denseStep({ ...network, ...dense, ...mask }))
          runs(t, addon.denseEpoch({ ...network, ...dense, ...mask, samples: 50 }))
        }
        for (const batch of [1, 19]) runs(t, addon.denseInference({ ...network, ...dense, batch }))
      }
    }
  })
  t.test(`a missing ${library} is an error`, { skip: (skip || here) && `${library} is here` }, async (t) => {
    const dense = { library, sliced: false, threads: 1 }
    t.throws(() => addon.denseProduct({ ...layer, ...dense, product: 'forward' }), {
      message: new RegExp(`${library} cannot be opened`),
    })
  })
}

t.test('impossible options are errors', { skip }, async (t) => {
  const sparse = { ...network, threads: 1, sparsity: 0.8, block: [1, 1] as const }
  const wrong: [object, RegExp][] = [
    [{ sizes: [5] }, /sizes/],
    [{ sizes: [5, 0, 5] }, /sizes/],
    [{ sizes: 'wide' }, /sizes/],
    [{ batch: 0 }, /batch/],
    [{ batch: 2.5 }, /batch/],
    [{ batch: Number.NaN }, /batch/],
    [{ threads: -1 }, /threads/],
    [{ threads: '2' }, /threads/],
    [{ sparsity: 1 }, /sparsity/],
    [{ block: [1] }, /block/],
    [{ block: [0, 1] }, /block/],
    [{ precision: 'float16' }, /precision/],
  ]
  for (const [options, message] of wrong)
    t.throws(() => addon.sparseStep({ ...sparse, ...options }), { message }, JSON.stringify(options))
  t.throws(() => addon.sparseStep(undefined as never), { message: /options/ })
  t.throws(() => addon.rewiring({ ...sparse, rule: 'prune' as never }), { message: /rule/ })
  t.throws(() => addon.sparseEpoch({ ...sparse, samples: 3 }), { message: /samples/ })
  t.throws(() => addon.sparseProduct({ ...layer, ...sparse, product: 'sideways' as never }), {
    message: /product/,
  })
  const dense = { ...network, threads: 1, sliced: false, masked: false } as const
  t.throws(() => addon.denseStep({ ...dense, library: 'MKL' as never }), { message: /library/ })
  t.throws(() => addon.denseStep({ ...dense, library: 7 as never }), { message: /library/ })
  t.throws(() => addon.bindToProcessors(0), { message: /count/ })
  t.throws(() => addon.ceilings(1e9), { message: /threads/ })
  t.throws(() => addon.handover(0), { message: /threads/ })
  t.throws(() => addon.pace(0), { message: /threads/ })
  if (process.platform === 'linux') t.throws(() => addon.bindToProcessors(1024), { message: /processors/ })
})

t.test('measures ceilings and binds threads', { skip }, async (t) => {
  for (const [name, ceiling] of Object.entries(addon.ceilings(2))) t.ok(ceiling > 0, name)
  t.ok(addon.handover(2) > 0)
  t.equal(addon.handover(1), 0)
  for (const threads of [1, 2]) t.ok(addon.pace(threads) > 0)
  t.equal(addon.bindToProcessors(1), process.platform === 'linux')
})

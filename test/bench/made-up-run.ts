import { type BenchAddon, partsOf, type Workload } from '../../bench/addon.js'
import { productsBound } from '../../bench/bounds.js'
import type { CeilingRecord, Run, TimingRecord } from '../../bench/records.js'
import type { Group } from '../../bench/suites/suite.js'

export const ceilings: CeilingRecord[] = [1, 2].map((threads) => ({
  threads,
  fmaGflops: 230 * threads,
  firstLevelGBs: 460 * threads,
  secondLevelGBs: 220 * threads,
  thirdLevelGBs: 100 * threads,
  memoryGBs: 20 * threads,
}))

/** Times of a machine that keeps to the bounds of its caches exactly, dense at the peak of its multiply-adds. */
function recordsOf(group: Group): TimingRecord[] {
  const { suite, sizes, batch, threads, cells } = group
  const [inputs = 0, outputs = 0] = sizes
  const layer = { inputs, outputs, batch }
  const limits = ceilings.find((record) => record.threads === threads)!
  const timing = (milliseconds: number) => ({ milliseconds, spread: 0.01 * milliseconds, samples: 9 })
  const full = (6 * inputs * outputs * batch) / (limits.fmaGflops * 1e6)
  return cells.map((cell) => {
    const { milliseconds } = productsBound(layer, cell, limits)
    const parts = partsOf(cell.block === '1x1')
    const part = milliseconds / parts.length
    return {
      suite,
      shape: sizes.join('-'),
      batch,
      threads,
      ...cell,
      ...timing(milliseconds),
      dense: group.dense ? { ...timing(full), library: 'OpenBLAS' } : null,
      ...(suite === 'step' && { masked: { ...timing(1.2 * full), library: 'OpenBLAS' } }),
      ...(suite === 'products' && { parts: Object.fromEntries(parts.map((name) => [name, part])) }),
      ...(suite === 'rewiring' && { step: timing(full) }),
    }
  })
}

export const madeUpRun = (groups: readonly Group[]): Run => ({
  machine: {
    processor: 'Made up',
    processors: 2,
    memoryGB: 24,
    caches: [{ level: 2, type: 'Unified', kibibytes: 1024, sharedBy: 1 }],
    system: 'Linux 6 x64',
    node: 'v20',
    espalier: '0',
    instructionSet: 'avx512',
    libraries: [{ name: 'OpenBLAS', description: 'OpenBLAS 0.3' }],
    pinned: true,
    commit: null,
    date: '2025-01-01T00:00:00.000Z',
  },
  ceilings,
  timings: groups.flatMap(recordsOf),
  memory: [
    { sparsity: 0, block: '1x1', megabytes: 600, rewiringMegabytes: null },
    { sparsity: 0.9, block: '1x1', megabytes: 120, rewiringMegabytes: 180 },
    { sparsity: 0.9, block: '8x8', megabytes: 90, rewiringMegabytes: 100 },
  ],
  failures: [],
})

/** Work that takes as long as it is told to. */
export function busy(milliseconds: number): Workload {
  return () => {
    const end = performance.now() + milliseconds
    while (performance.now() < end);
  }
}

/** An addon whose work is to wait: sparse 0.2 ms; dense 1 ms by OpenBLAS, half of that by BLIS in slices. */
export const madeUpAddon = (calls: string[] = []): BenchAddon => {
  const sparse = () => busy(0.2)
  const dense = ({ library, sliced }: { library: string; sliced: boolean }) => {
    calls.push(`${library} ${sliced}`)
    if (sliced) return busy(library === 'BLIS' ? 0.5 : 2)
    return busy(8)
  }
  return {
    instructionSet: () => 'baseline',
    externalMemory: () => 0,
    libraries: () => ({
      found: [
        { name: 'OpenBLAS', description: '' },
        { name: 'BLIS', description: '' },
      ],
      missing: [],
    }),
    bindToProcessors: () => true,
    ceilings: () => ceilings[0]!,
    handover: () => 50,
    pace: () => 100,
    denseProduct: dense,
    sparseProduct: sparse,
    sparseBackward: sparse,
    denseStep: dense,
    sparseStep: ({ precision }) => {
      if (precision === 'bfloat16') throw new Error('no bfloat16 here')
      return sparse()
    },
    denseEpoch: dense,
    sparseEpoch: sparse,
    rewiring: sparse,
    denseInference: dense,
    sparseInference: sparse,
  }
}

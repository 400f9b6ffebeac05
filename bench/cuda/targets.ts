import { percent } from '../markdown.js'
import { againstLibrary, boundFraction, geometricMean, Products, Steps } from './compare.js'
import { type Line, ofKind, type Precision } from './lines.js'

/** A number that the benchmark is to reach. */
export interface Target {
  name: string
  /** Whether less is better. */
  atMost: boolean
  target: number
  /** Null where it was not measured. */
  value: number | null
  met: boolean | null
  unit: '' | 'x' | '%'
}

function targetOf(
  name: string,
  target: number,
  value: number | null,
  unit: Target['unit'],
  atMost = false,
): Target {
  const met = value === null ? null : atMost ? value <= target : value >= target
  return { name, atMost, target, value, met, unit }
}

/** Of 1 x 1 products: share of the gather bound, and against cuSPARSE. */
function productTargets(lines: readonly Line[], all: Products): Target[] {
  const cell = { size: 4096, batch: 512, sparsity: 0.9, block: 1 }
  const ceilings = ofKind(lines, 'ceiling')
  const names = {
    forward: 'SpMM forward',
    inputGradient: 'SpMM input gradient',
    weightGradient: 'SDDMM',
  } as const
  const fractions = Object.entries(names).map(([product, name]) => {
    const line = all.best('own', 'float32', cell, product as keyof typeof names)
    const fraction = line === null ? null : boundFraction(line, ceilings)
    const share = fraction === null ? null : 100 * fraction
    return targetOf(`${name}, share of the gather bound, 4096, 90 %, batch 512`, 60, share, '%')
  })
  const spmm = againstLibrary(all, ['forward', 'inputGradient'], 'float32')
  const sddmm = againstLibrary(all, ['weightGradient'], 'float32')
  return [
    ...fractions,
    targetOf(
      `SpMM and SDDMM against cuSPARSE, geometric mean of ${spmm.length + sddmm.length}`,
      2,
      geometricMean([...spmm, ...sddmm]),
      'x',
    ),
  ]
}

function stepTargets(steps: Steps): Target[] {
  const network = '4096-4096-10'
  const sparse = (batch: number, sparsity: number) =>
    steps.find({ network, batch, sparsity, block: 1, precision: 'float32', implementation: 'sparse' })
  const tf32 = (
    [
      [128, 0.9, 1.2],
      [128, 0.95, 2.4],
      [128, 0.99, 10],
      [32, 0.9, 3],
    ] as const
  ).flatMap(([batch, sparsity, target]) =>
    (['masked', 'dense'] as const).map((baseline) =>
      targetOf(
        `step ${network}, Adam, batch ${batch}, ${percent(sparsity)}, against ${baseline} TF32`,
        target,
        steps.speedup(sparse(batch, sparsity), baseline, 'tf32'),
        'x',
      ),
    ),
  )
  const float32 = (
    [
      [0.9, 2],
      [0.99, 20],
    ] as const
  ).map(([sparsity, target]) =>
    targetOf(
      `step ${network}, Adam, batch 2048, ${percent(sparsity)}, against dense float32`,
      target,
      steps.speedup(sparse(2048, sparsity), 'dense', 'float32'),
      'x',
    ),
  )
  return [...tf32, ...float32]
}

function blockTargets(all: Products): Target[] {
  const rows: readonly (readonly [Precision, number, number])[] = [
    ['tf32', 0.9, 4],
    ['tf32', 0.95, 8],
    ['bfloat16', 0.9, 3],
    ['bfloat16', 0.95, 6],
  ]
  return rows.map(([precision, sparsity, target]) => {
    const speedups = [16, 32]
      .map((block) => all.speedup(precision, { size: 4096, batch: 512, sparsity, block }, precision))
      .filter((speedup) => speedup !== null)
    return targetOf(
      `three products of 16 x 16 or 32 x 32 blocks, ${precision}, 4096, batch 512, ${percent(sparsity)}, against dense ${precision}`,
      target,
      speedups.length === 0 ? null : Math.max(...speedups),
      'x',
    )
  })
}

/** Peak memory with rewiring against dense, and what a rewiring every 100 steps costs. */
function rewiringTargets(lines: readonly Line[], steps: Steps): Target[] {
  const rewirings = ofKind(lines, 'rewiring')
  const targets: Target[] = []
  for (const { network, batch, sparsity, rule, ...line } of rewirings) {
    const step = steps.find({
      network,
      batch,
      sparsity,
      block: 1,
      precision: 'float32',
      implementation: 'sparse',
    })
    const cost =
      step === null ? null : (line.medianMicroseconds + line.afterwardsMicroseconds) / step.medianMicroseconds
    targets.push(
      targetOf(
        `${rule} every 100 steps adds, ${network}, batch ${batch}, ${percent(sparsity)}`,
        3,
        cost,
        '%',
        true,
      ),
    )
    const target = sparsity === 0.9 ? 5 : sparsity === 0.99 ? 40 : null
    if (target === null) continue
    const dense = steps.find({ network, batch, precision: 'float32', implementation: 'dense' })
    targets.push(
      targetOf(
        `peak memory of dense over that of ${percent(sparsity)} with ${rule}, ${network}, batch ${batch}`,
        target,
        dense === null ? null : dense.peakBytes / line.peakBytes,
        'x',
      ),
    )
  }
  return targets
}

/** Every number that the issue asks for, beside what was measured. */
export function targetsOf(lines: readonly Line[]): Target[] {
  const all = new Products(lines)
  const steps = new Steps(lines)
  const kernels = ofKind(lines, 'kernels').map(
    ({ network, batch, sparsity, medianMicroseconds, sumMicroseconds }) =>
      targetOf(
        `step over the sum of its kernels, ${network}, batch ${batch}, ${percent(sparsity)}`,
        2,
        medianMicroseconds / sumMicroseconds,
        'x',
        true,
      ),
  )
  return [
    ...productTargets(lines, all),
    ...stepTargets(steps),
    ...blockTargets(all),
    ...kernels,
    ...rewiringTargets(lines, steps),
  ]
}

import {
  accuracyLost,
  againstPeer,
  breakEvenAt,
  growth,
  inferenceSpeedup,
  inferenceTime,
  type Measured,
  type Measurements,
  memory,
  overDense,
  products,
  steps,
  type Target,
  twoThreads,
} from './figures.js'
import { times } from './markdown.js'
import { blocks, roundedBlocks, sparsityOfFanIn } from './suites/plan.js'

export interface Judgement {
  target: Target
  measured: Measured | null
  met: boolean | null
}

const beyond1x1 = blocks.slice(1)

/** Every figure that the engine is held to; on two threads unless said. */
export const targets: readonly Target[] = [
  ...overDense(
    products(1024),
    ['1x1'],
    [
      [0.9, 4.3],
      [0.95, 8.5],
      [0.99, 36],
    ],
  ),
  ...overDense(
    products(4096),
    ['1x1'],
    [
      [0.9, 3.5],
      [0.95, 7.5],
      [0.99, 36],
    ],
  ),
  ...[1024, 4096].map((width) => breakEvenAt(products(width))),
  ...overDense(products(1024), beyond1x1, [
    [0.9, 9],
    [0.95, 18],
    [0.99, 70],
  ]),
  ...overDense(products(4096), beyond1x1, [
    [0.9, 9],
    [0.95, 18],
    [0.99, 70],
  ]),
  ...overDense(steps('float32'), beyond1x1, [
    [0.9, 9],
    [0.95, 14],
    [0.99, 30],
  ]),
  ...overDense(
    steps('float32'),
    ['1x1'],
    [
      [0.9, 4.5],
      [0.95, 9],
      [0.99, 25],
    ],
  ),
  ...overDense(steps('bfloat16'), ['1x1'], [[0.9, 6]]),
  ...overDense(steps('bfloat16'), roundedBlocks, [
    [0.9, 9],
    [0.95, 14],
    [0.99, 30],
  ]),
  accuracyLost(0.2),
  againstPeer('PyTorch CSR, the least from 80 % on', 'pytorch-csr', 5, (sparsity) => sparsity >= 0.8),
  againstPeer('PyTorch with masks at 90 %', 'pytorch-masked', 4, (sparsity) => sparsity === 0.9),
  againstPeer('TensorFlow.js, the least', 'tensorflow-js', 10, () => true),
  ...[products(1024), products(4096), steps('float32')].flatMap((work) =>
    (['1x1', '8x8'] as const).map((block) => twoThreads(work, block)),
  ),
  inferenceTime(40),
  inferenceSpeedup(['1x1'], 5),
  inferenceSpeedup(['4x1', '8x8'], 5),
  growth('the fan-in of 99 % at 2048', sparsityOfFanIn),
  growth('99 % at both', () => 0.99),
  memory(['1x1'], 4),
  memory(beyond1x1, 6),
]

export function judge(from: Measurements): Judgement[] {
  return targets.map((target) => {
    const measured = target.measure(from)
    if (measured === null) return { target, measured, met: null }
    const { asked, atMost } = target
    return { target, measured, met: atMost ? measured.value <= asked : measured.value >= asked }
  })
}

function written(value: number, unit: Target['unit']): string {
  if (unit === 'x') return times(value)
  return unit === 'points' ? `${value.toFixed(2)} points` : `${value.toFixed(1)} ${unit}`
}

/** What holds back a figure that falls short. */
function boundText({ target, measured, met }: Judgement): string {
  if (met !== false || measured?.bound === undefined) return ''
  const { value, says } = measured.bound
  return `${says} ${written(value, target.unit)}`
}

/** One line a target: name, asked, measured, met, what bounds it. */
export function judgementRows(judgements: readonly Judgement[]): string[][] {
  return judgements.map((judgement) => {
    const { target, measured, met } = judgement
    const { name, atMost, asked, unit } = target
    const which = measured?.which === undefined ? '' : ` (${measured.which})`
    return [
      name,
      `${atMost ? 'at most' : 'at least'} ${asked}${unit === 'x' ? 'x' : ` ${unit}`}`,
      measured === null ? 'not measured' : written(measured.value, unit) + which,
      met === null ? '-' : met ? 'yes' : 'no',
      boundText(judgement),
    ]
  })
}

import { breakEvenText } from '../break-even.js'
import { distinct, percent, table, times } from '../markdown.js'
import {
  againstLibrary,
  boundFraction,
  type Cell,
  familyOf,
  geometricMean,
  Products,
  Steps,
} from './compare.js'
import { isRight, type Line, ofKind, type Precision, type Product, products, type Training } from './lines.js'
import { type Target, targetsOf } from './targets.js'

/** A sparse way, and the dense precision that it is compared with. */
export interface Comparison {
  name: string
  block: number
  precision: Precision
  dense: Precision
}

export const comparisons: readonly Comparison[] = [
  { name: '1 x 1 float32 against float32', block: 1, precision: 'float32', dense: 'float32' },
  { name: '1 x 1 float32 against TF32', block: 1, precision: 'float32', dense: 'tf32' },
  { name: '1 x 1 bfloat16 against bfloat16', block: 1, precision: 'bfloat16', dense: 'bfloat16' },
  ...[4, 8, 16, 32].flatMap((block) => [
    ...(block === 4
      ? [{ name: '4 x 4 float32 against TF32', block, precision: 'float32', dense: 'tf32' } as const]
      : [
          { name: `${block} x ${block} TF32 against TF32`, block, precision: 'tf32', dense: 'tf32' } as const,
        ]),
    {
      name: `${block} x ${block} bfloat16 against bfloat16`,
      block,
      precision: 'bfloat16',
      dense: 'bfloat16',
    } as const,
  ]),
]

const microseconds = (value: number) => value.toFixed(value < 100 ? 2 : 0)
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)
const version = (code: number) => `${Math.floor(code / 1000)}.${Math.floor((code % 1000) / 10)}`

function cardSection(lines: readonly Line[]): string {
  const [header] = ofKind(lines, 'header')
  if (header === undefined) return 'The program did not come as far as to name the card.'
  const ceilings = ofKind(lines, 'ceiling').map(
    ({ name, value, unit }) => [name, `${value.toFixed(1)} ${unit}`] as const,
  )
  return [
    `${header.card}, compute capability ${(header.capability / 10).toFixed(1)}, ${header.multiprocessors} multiprocessors, at most ${(header.clockKilohertz / 1e6).toFixed(2)} GHz;`,
    `driver for CUDA ${version(header.driver)}, CUDA ${version(header.runtime)}, cuBLAS ${header.cublas}, cuSPARSE ${header.cusparse}.`,
    '',
    table(['ceiling', 'value'], ceilings),
  ].join('\n')
}

function written({ value, unit }: Target): string {
  if (value === null) return 'not measured'
  return unit === '%' ? `${value.toFixed(1)} %` : times(value)
}

function targetSection(targets: readonly Target[]): string {
  return table(
    ['target', 'asked', 'measured', 'met'],
    targets.map((target) => [
      target.name,
      `${target.atMost ? 'at most' : 'at least'} ${target.target}${target.unit === '%' ? ' %' : target.unit}`,
      written(target),
      target.met === null ? '-' : target.met ? 'yes' : 'no',
    ]),
  )
}

/** Sparsities across, sizes and batches down; nothing where no cell has a value. */
function grid(all: Products, block: number, value: (cell: Cell) => string | null): string | null {
  const cells = all.cells.filter((cell) => cell.block === block)
  const sparsities = distinct(cells.map(({ sparsity }) => sparsity))
  let found = false
  const rows = distinct(cells.map(({ size }) => size)).flatMap((size) =>
    distinct(cells.map(({ batch }) => batch)).map((batch) => [
      size,
      batch,
      ...sparsities.map((sparsity) => {
        const text = value({ size, batch, sparsity, block })
        found ||= text !== null
        return text ?? '-'
      }),
    ]),
  )
  return found ? table(['size', 'batch', ...sparsities.map(percent)], rows) : null
}

function breakEvenOf(all: Products, { block, precision, dense }: Comparison, size: number, batch: number) {
  const points = all.cells
    .filter((cell) => cell.block === block && cell.size === size && cell.batch === batch)
    .map((cell) => ({ sparsity: cell.sparsity, speedup: all.speedup(precision, cell, dense) }))
    .filter((point): point is { sparsity: number; speedup: number } => point.speedup !== null)
  return breakEvenText(points)
}

function breakEvenSection(all: Products): string {
  const sizes = distinct(all.cells.map(({ size }) => size))
  const batches = distinct(all.cells.map(({ batch }) => batch))
  const rows = comparisons.flatMap((comparison) =>
    sizes.map((size) => [
      comparison.name,
      size,
      ...batches.map((batch) => breakEvenOf(all, comparison, size, batch)),
    ]),
  )
  return table(['three products', 'size', ...batches.map((batch) => `batch ${batch}`)], rows)
}

function librarySection(all: Products): string {
  const kinds: readonly (readonly [string, readonly Product[]])[] = [
    ['SpMM (forward and input gradient)', ['forward', 'inputGradient']],
    ['SDDMM (weight gradient)', ['weightGradient']],
  ]
  return table(
    ['against the faster of cuSPARSE’s float32 ways', 'cells', 'geometric mean', 'least', 'most'],
    kinds.flatMap(([name, which]) =>
      (['float32', 'bfloat16'] as const).map((precision) => {
        const ratios = againstLibrary(all, which, precision)
        const known = ratios.length > 0
        return [
          `${name}, ${precision}`,
          ratios.length,
          times(geometricMean(ratios)),
          times(known ? Math.min(...ratios) : null),
          times(known ? Math.max(...ratios) : null),
        ]
      }),
    ),
  )
}

const nameOf = ({ implementation, block, precision }: Training) =>
  `${implementation}${implementation === 'sparse' ? ` ${block} x ${block}` : ''} ${precision}`

function stepSection(steps: Steps): string {
  const rows = steps.lines.map((line) => [
    line.network,
    line.optimizer,
    line.batch,
    nameOf(line),
    line.sparsity === 0 ? '-' : percent(line.sparsity),
    microseconds(line.medianMicroseconds),
    microseconds((line.upperQuartile - line.lowerQuartile) / 2),
    ...(['float32', 'tf32', 'bfloat16'] as const).map((precision) =>
      line.sparsity === 0 ? '-' : times(steps.speedup(line, 'dense', precision)),
    ),
    line.implementation === 'sparse' ? times(steps.speedup(line, 'masked', 'tf32')) : '-',
    megabytes(line.peakBytes),
    line.plan,
  ])
  return table(
    [
      'network',
      'optimizer',
      'batch',
      'way',
      'sparsity',
      'step µs',
      '±',
      'of dense float32',
      'of dense TF32',
      'of dense bfloat16',
      'of masked TF32',
      'peak MB',
      'plan',
    ],
    rows,
  )
}

/** Losses of sparse and masked networks that began equal; they should be near each other. */
function lossSection(steps: Steps): string | null {
  const rows = steps.lines
    .filter(({ implementation }) => implementation === 'masked')
    .flatMap((masked) => {
      const { network, optimizer, batch, sparsity } = masked
      const sparse = steps.find({
        network,
        optimizer,
        batch,
        sparsity,
        block: 1,
        precision: 'float32',
        implementation: 'sparse',
      })
      if (sparse === null || sparse.loss === null || masked.loss === null) return []
      const difference = Math.abs(masked.loss - sparse.loss) / Math.abs(sparse.loss)
      return [
        [
          network,
          batch,
          percent(sparsity),
          nameOf(masked),
          sparse.loss.toFixed(5),
          masked.loss.toFixed(5),
          difference.toExponential(1),
        ],
      ]
    })
  if (rows.length === 0) return null
  return table(
    ['network', 'batch', 'sparsity', 'masked', 'loss of sparse float32', 'its own', 'difference'],
    rows,
  )
}

function failureSection(lines: readonly Line[]): string {
  const wrong = ofKind(lines, 'product').filter((line) => !isRight(line))
  const reasons = new Map<string, string[]>()
  const add = (cell: string, why: string) => reasons.set(why, [...(reasons.get(why) ?? []), cell])
  for (const { cell, message } of ofKind(lines, 'failure')) add(cell, message)
  for (const line of wrong) {
    const { size, batch, sparsity, block, product, implementation, precision, error } = line
    add(
      `${size}, batch ${batch}, ${percent(sparsity)}, block ${block}, ${product}`,
      `${implementation}, ${precision}, is wrong: relative difference ${error?.toExponential(1) ?? 'not a number'}`,
    )
  }
  const rows = [...reasons].map(([why, cells]) => [
    cells.length === 1 ? cells[0]! : `${cells[0]}, and ${cells.length - 1} more`,
    why,
  ])
  const leftOut = ofKind(lines, 'leftOut').map(
    ({ count, cells }) => `No time was left for ${count} measurements: ${cells}.`,
  )
  return [
    rows.length === 0
      ? 'Nothing failed, and every product agreed with pedantic float32.'
      : table(['what', 'why'], rows),
    ...leftOut,
  ].join('\n\n')
}

/** The whole report in Markdown. */
export function markdownOf(lines: readonly Line[], picture: string): string {
  const all = new Products(lines)
  const steps = new Steps(lines)
  const ceilings = ofKind(lines, 'ceiling')
  const sections: (readonly [title: string, body: string | null])[] = [
    ['Card', cardSection(lines)],
    ['Targets', targetSection(targetsOf(lines))],
    ['Speed-up of the three products over dense', `![speed-up over sparsity](${picture})`],
    ...comparisons.map(
      (comparison) =>
        [
          `Three products, ${comparison.name}`,
          grid(all, comparison.block, (cell) => {
            const speedup = all.speedup(comparison.precision, cell, comparison.dense)
            return speedup === null ? null : times(speedup)
          }),
        ] as const,
    ),
    ['Break-even sparsity', breakEvenSection(all)],
    ['Against cuSPARSE, 1 x 1', librarySection(all)],
    ...products.flatMap((product) =>
      (['float32', 'bfloat16'] as const).map(
        (precision) =>
          [
            `Share of the gather bound, ${product}, 1 x 1, ${precision}`,
            grid(all, 1, (cell) => {
              const line = all.best('own', precision, cell, product)
              const fraction = line === null ? null : boundFraction(line, ceilings)
              return line === null || fraction === null
                ? null
                : `${(100 * fraction).toFixed(0)} % ${line.implementation}`
            }),
          ] as const,
      ),
    ),
    ['Whole training steps', steps.lines.length === 0 ? null : stepSection(steps)],
    ['Do the masked and the sparse way train alike?', lossSection(steps)],
    [
      'A step and its parts',
      table(
        ['network', 'sparsity', 'part', 'kernels', 'µs'],
        [
          ...ofKind(lines, 'deed').map((line) => [
            line.network,
            percent(line.sparsity),
            line.deed,
            line.kernels,
            microseconds(line.microseconds),
          ]),
          ...ofKind(lines, 'kernels').map((line) => [
            line.network,
            percent(line.sparsity),
            `the sum; the whole step takes ${microseconds(line.medianMicroseconds)}`,
            line.kernels,
            microseconds(line.sumMicroseconds),
          ]),
        ],
      ),
    ],
    [
      'Rewiring',
      table(
        ['network', 'batch', 'sparsity', 'rule', 'µs', 'next step takes more', 'peak MB'],
        ofKind(lines, 'rewiring').map((line) => [
          line.network,
          line.batch,
          percent(line.sparsity),
          line.rule,
          microseconds(line.medianMicroseconds),
          microseconds(line.afterwardsMicroseconds),
          megabytes(line.peakBytes),
        ]),
      ),
    ],
    ['What failed and what was left out', failureSection(lines)],
  ]
  const title = `# CUDA benchmark: ${ofKind(lines, 'header')[0]?.card ?? 'unknown card'}`
  return `${[title, ...sections.flatMap(([name, body]) => (body === null ? [] : [`## ${name}`, body]))].join('\n\n')}\n`
}

/** How many product lines each family has; for the one-line summary. */
export function countFamilies(lines: readonly Line[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const line of ofKind(lines, 'product')) counts[familyOf(line)] = (counts[familyOf(line)] ?? 0) + 1
  return counts
}

import { distinct, percent, table, threadText, times } from '../markdown.js'
import type { PeerRecord } from '../peers/records.js'
import type { AccuracyRecord } from '../results.js'

// What was measured apart from the benchmark's own run.

interface Summary {
  mean: number
  /** Standard deviation over the seeds. */
  deviation: number
}

function summaryOf(values: readonly number[]): Summary {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) }
}

const summaryText = ({ mean, deviation }: Summary) =>
  `${(100 * mean).toFixed(2)} ± ${(100 * deviation).toFixed(2)} %`

/** Mean and deviation of the test accuracy, as text; null where this was not trained. */
export function accuracyText(
  records: readonly AccuracyRecord[],
  block: string,
  precision: string,
): string | null {
  const values = records
    .filter((record) => record.block === block && record.precision === precision)
    .map(({ accuracy }) => accuracy)
  return values.length === 0 ? null : summaryText(summaryOf(values))
}

/** Block, precision, sparsity, accuracy over the seeds. */
export function accuracyRows(records: readonly AccuracyRecord[]): string[][] {
  const kinds = new Map(records.map((record) => [`${record.block} ${record.precision}`, record]))
  return [...kinds.values()].map(({ block, precision, sparsity }) => [
    block,
    precision,
    sparsity === 0 ? '-' : percent(sparsity),
    accuracyText(records, block, precision) ?? '-',
  ])
}

export function accuracySection(records: readonly AccuracyRecord[]): string | null {
  const [first] = records
  if (first === undefined) return null
  const seeds = new Set(records.map(({ seed }) => seed)).size
  return [
    `${first.dataset}, ${first.shape}, ${first.epochs} epochs, RigL; mean and standard deviation over ${seeds} seeds ` +
      '(`npm run bench:accuracy`).',
    table(['block', 'precision', 'sparsity', 'test accuracy'], accuracyRows(records)),
  ].join('\n\n')
}

const taskNames: Record<string, string> = { step: 'Whole step', nerva: 'The protocol of Nerva' }

function taskText({ task, shape, batch, threads }: PeerRecord): string {
  return `${taskNames[task] ?? task}, ${shape}, batch ${batch}, ${threadText(threads)}`
}

const timeText = (milliseconds: number, epochSeconds: number | undefined) =>
  milliseconds.toFixed(2) + (epochSeconds === undefined ? '' : ` (${epochSeconds.toFixed(2)} s)`)

/** Peers down, sparsities across; Espalier itself comes last. */
function peerTable(records: readonly PeerRecord[]): string {
  const sparsities = distinct(records.map(({ sparsity }) => sparsity))
  const at = (sparsity: number, peer?: string) =>
    records.find((each) => each.sparsity === sparsity && (peer === undefined || each.peer === peer))
  const rows = [...new Set(records.map(({ peer }) => peer))].map((peer) => [
    `${peer} ${records.find((each) => each.peer === peer && each.version !== '')?.version ?? ''}`.trim(),
    ...sparsities.map((sparsity) => {
      const record = at(sparsity, peer)
      if (record === undefined) return '-'
      const { milliseconds, epochSeconds, espalierMilliseconds } = record
      if (milliseconds === null) return 'failed'
      return `${timeText(milliseconds, epochSeconds)}, ${times(milliseconds / espalierMilliseconds)}`
    }),
  ])
  const own = sparsities.map((sparsity) => {
    const { espalierMilliseconds, espalierEpochSeconds } = at(sparsity)!
    return timeText(espalierMilliseconds, espalierEpochSeconds)
  })
  return table(['ms, times Espalier', ...sparsities.map(percent)], [...rows, ['Espalier', ...own]])
}

/** What one machine measured, a table for each task. */
function peersOf(machine: string, records: readonly PeerRecord[]): string[] {
  const tasks = [...new Set(records.map(taskText))]
  const notes = new Set(records.flatMap(({ peer, note }) => (note ? `- ${peer}: ${note}` : [])))
  return [
    `### On ${machine}`,
    ...tasks.flatMap((task) => [`**${task}**`, peerTable(records.filter((each) => taskText(each) === task))]),
    ...(notes.size === 0 ? [] : [[...notes].join('\n')]),
  ]
}

/** Steps of other libraries beside the same step here. */
export function peerSection(records: readonly PeerRecord[]): string | null {
  if (records.length === 0) return null
  const machines = [...new Set(records.map(({ machine }) => machine))]
  return [
    'A training step in milliseconds, and how many times that of Espalier it is; in brackets, an epoch of 50,000 samples. ' +
      'How each is measured, and what Nerva’s authors published: [peers](peers/README.md).',
    ...machines.flatMap((each) =>
      peersOf(
        each,
        records.filter(({ machine }) => machine === each),
      ),
    ),
  ].join('\n\n')
}

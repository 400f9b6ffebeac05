import { percent, table, threadText, times } from '../markdown.js'
import { memoryShape } from '../memory.js'
import { all, type Run, speedup } from '../records.js'
import { epochSamples } from '../suites/epoch.js'
import { grid, wayOf } from './speed.js'

// What a user meets as a whole: epochs, rewirings, inference, memory.

export function epochSection(run: Run): string | null {
  const records = all(run, { suite: 'epoch' })
  const [first] = records
  if (first === undefined) return null
  const { shape, batch, threads, dense, masked } = first
  const seconds = (milliseconds: number | undefined) =>
    milliseconds === undefined ? '-' : `${(milliseconds / 1000).toFixed(2)} s`
  return [
    `${epochSamples} samples, ${shape}, batch ${batch}, ${threadText(threads)}; dense ${seconds(dense?.milliseconds)}, ` +
      `masked ${seconds(masked?.milliseconds)}.`,
    grid(
      'block',
      records,
      ({ sparsity }) => sparsity,
      percent,
      (record) => `${seconds(record.milliseconds)}, ${times(speedup(record))}`,
    ),
  ].join('\n\n')
}

export function rewiringSection(run: Run): string | null {
  const records = all(run, { suite: 'rewiring' })
  if (records.length === 0) return null
  const rows = records.map((record) => {
    const { rule, shape, sparsity, milliseconds, step } = record
    return [
      rule === 'set' ? 'SET' : 'RigL',
      shape,
      wayOf(record),
      percent(sparsity),
      milliseconds.toFixed(2),
      step === undefined ? '-' : (milliseconds / step.milliseconds).toFixed(1),
    ]
  })
  return table(['rule', 'network', 'block', 'sparsity', 'ms', 'in steps'], rows)
}

export function inferenceSection(run: Run): string | null {
  const records = all(run, { suite: 'inference' })
  const groups = new Map(records.map(({ batch, threads }) => [`${batch} ${threads}`, { batch, threads }]))
  const parts = [...groups.values()].flatMap(({ batch, threads }) => {
    const own = records.filter((record) => record.batch === batch && record.threads === threads)
    const { shape, dense } = own[0]!
    const microseconds = (milliseconds: number) => `${(1000 * milliseconds).toFixed(1)} µs`
    const besides = ({ milliseconds, library }: NonNullable<typeof dense>) =>
      `; dense ${microseconds(milliseconds)} (${library})`
    const beside = dense === null ? '' : besides(dense)
    return [
      `**${shape}, batch ${batch}, ${threadText(threads)}**${beside}`,
      grid(
        'block',
        own,
        ({ sparsity }) => sparsity,
        percent,
        (record) => `${microseconds(record.milliseconds)}, ${times(speedup(record))}`,
      ),
    ]
  })
  return parts.length === 0 ? null : parts.join('\n\n')
}

export const memoryHead = ['network', 'MB', 'of dense', 'MB with RigL', 'of dense'] as const

/** Megabytes of each network, and their share of dense; none where dense was not measured. */
export function memoryRows({ memory }: Run): string[][] {
  const dense = memory.find(({ sparsity }) => sparsity === 0)?.megabytes
  if (dense === undefined) return []
  const share = (megabytes: number | null) =>
    megabytes === null ? '-' : `1/${(dense / megabytes).toFixed(1)}`
  return memory.map(({ sparsity, block, megabytes, rewiringMegabytes }) => [
    sparsity === 0 ? 'dense' : `${percent(sparsity)}, ${block}`,
    megabytes.toFixed(1),
    share(megabytes),
    rewiringMegabytes?.toFixed(1) ?? '-',
    share(rewiringMegabytes),
  ])
}

export function memorySection(run: Run): string | null {
  const rows = memoryRows(run)
  if (rows.length === 0) return null
  const { width, hidden, batch } = memoryShape
  return [
    `${width} inputs, ${hidden} hidden layers of ${width}, batch ${batch}, SGD with momentum; peak resident memory that the ` +
      'network adds to a process of its own: weights, gradients, optimizer state, both views and activations. RigL needs more ' +
      'for a moment: the activations of the whole batch, and the old and the new pattern side by side. A dense buffer of a ' +
      'sparse layer never exists.',
    table(memoryHead, rows),
  ].join('\n\n')
}

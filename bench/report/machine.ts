import { table, threadText } from '../markdown.js'
import type { Run } from '../records.js'

function disturbedText(timedDisturbed: number | undefined): string {
  if (timedDisturbed === undefined) return ''
  return timedDisturbed === 0 ? ', undisturbed' : `, undisturbed but in ${timedDisturbed} timings`
}

export function machineSection({ machine, ceilings, timedDisturbed }: Run): string {
  const caches = machine.caches
    .map(({ level, kibibytes, sharedBy }) => {
      const size = kibibytes < 1024 ? `${kibibytes} KiB` : `${kibibytes / 1024} MiB`
      return `L${level} ${size}${sharedBy > 1 ? ` for ${sharedBy}` : ''}`
    })
    .join(', ')
  const rows = [
    ['processor', `${machine.processor}, ${machine.processors} processors, ${machine.memoryGB} GB of memory`],
    ['caches', caches || 'unknown'],
    ['system', `${machine.system}, Node ${machine.node}`],
    [
      'Espalier',
      `${machine.espalier}, ${machine.instructionSet} kernels, commit ${machine.commit ?? 'unknown'}, ${machine.date.slice(0, 10)}`,
    ],
    ...machine.libraries.map(({ name, description }) => [name, description]),
    [
      'threads',
      (machine.pinned ? 'bound to processors' : 'not bound to processors') + disturbedText(timedDisturbed),
    ],
  ]
  const gigabytes = (value: number | undefined) => (value === undefined ? '-' : `${value.toFixed(0)} GB/s`)
  return [
    table(['', ''], rows),
    table(
      ['ceilings', 'multiply-adds', 'L1', 'L2', 'L3', 'memory'],
      ceilings.map((record) => [
        threadText(record.threads),
        `${record.fmaGflops.toFixed(0)} GFLOP/s`,
        gigabytes(record.firstLevelGBs),
        gigabytes(record.secondLevelGBs),
        gigabytes(record.thirdLevelGBs),
        gigabytes(record.memoryGBs),
      ]),
    ),
  ].join('\n\n')
}

import Table from 'cli-table3'
import type { PeerRecord } from './records.js'

/** Seconds an epoch that Nerva's authors published (Wesselink et al., 2024), by sparsity, on their machine. */
const published: Readonly<Record<number, { nerva: number; pytorch: number }>> = {
  0.9: { nerva: 7.4, pytorch: 12.2 },
  0.95: { nerva: 4.9, pytorch: 12.2 },
  0.99: { nerva: 2.87, pytorch: 12.2 },
}

const plain = { head: [], border: [], compact: true }

/** One line a peer, number of threads and sparsity. */
export function stepTable(records: readonly PeerRecord[]): string {
  const table = new Table({
    head: ['peer', 'threads', 'sparsity', 'peer ms', 'Espalier ms', 'peer / Espalier', 'how'],
    style: plain,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
  })
  for (const r of records.filter(({ task }) => task === 'step')) {
    table.push([
      r.peer,
      r.threads,
      r.sparsity,
      r.milliseconds === null ? '-' : `${r.milliseconds.toFixed(3)} ± ${r.spread?.toFixed(3)}`,
      `${r.espalierMilliseconds.toFixed(3)} ± ${r.espalierSpread.toFixed(3)}`,
      r.milliseconds === null ? '-' : `${(r.milliseconds / r.espalierMilliseconds).toFixed(2)}x`,
      r.note ?? '',
    ])
  }
  return table.toString()
}

/** Seconds an epoch in Nerva's protocol, beside what its authors published. */
export function nervaTable(records: readonly PeerRecord[]): string {
  const table = new Table({
    head: [
      'sparsity',
      'peer',
      'peer s',
      'Espalier s',
      'Nerva, published s',
      'its PyTorch with masks, published s',
    ],
    style: plain,
    colAligns: ['right', 'left', 'right', 'right', 'right', 'right'],
  })
  for (const r of records.filter(({ task }) => task === 'nerva')) {
    const theirs = published[r.sparsity]
    table.push([
      r.sparsity,
      r.peer,
      r.epochSeconds?.toFixed(2) ?? '-',
      r.espalierEpochSeconds?.toFixed(2) ?? '-',
      theirs?.nerva ?? '-',
      theirs?.pytorch ?? '-',
    ])
  }
  return table.toString()
}

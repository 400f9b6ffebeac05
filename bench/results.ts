import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Precision, repository } from './addon.js'
import type { PeerRecord } from './peers/records.js'
import type { BlockName, Run } from './records.js'

export const resultFolder = join(repository, 'bench', 'results')

/** One network, trained by "npm run bench:accuracy". */
export interface AccuracyRecord {
  dataset: string
  shape: string
  epochs: number
  /** 'dense' for a network that is. */
  block: BlockName | 'dense'
  precision: Precision
  sparsity: number
  seed: number
  /** Of the test part, 0 to 1. */
  accuracy: number
}

export interface Results {
  peers: readonly PeerRecord[]
  accuracy: readonly AccuracyRecord[]
}

const read = (file: string): unknown => JSON.parse(readFileSync(join(resultFolder, file), 'utf8'))
const filesOf = (prefix: string) =>
  readdirSync(resultFolder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
    .sort()

/** What was measured apart from the benchmark's own run: peers and accuracies. Empty where there is none yet. */
export function readResults(): Results {
  return {
    peers: filesOf('peers-').flatMap((file) => read(file) as PeerRecord[]),
    accuracy: filesOf('accuracy-').flatMap((file) => read(file) as AccuracyRecord[]),
  }
}

/** The runs kept by "npm run bench -- --json", by the name of their file. */
export function readRuns(): { name: string; run: Run }[] {
  return filesOf('')
    .map((file) => ({ name: basename(file, '.json'), run: read(file) as Run }))
    .filter(({ run }) => run.timings !== undefined && run.ceilings !== undefined)
}

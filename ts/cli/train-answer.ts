/** What `espalier train` says at the end. */
import path from 'node:path'
import type { NetworkPlan, RunRecord } from '../index.js'
import { formatCount, formatLoss, formatPercent, formatSeconds, formatShort } from '../report/numbers.js'
import type { RunFolder } from './run-folder.js'

/** The object of --json; its names are a contract with scripts. plan: where --verbose asks for it, else null. */
export function answerOf(
  { name, dataset, machine, result }: RunRecord,
  folder: RunFolder,
  plan: NetworkPlan | null,
): object {
  const { error, ...numbers } = result
  return {
    name,
    dataset: dataset.name,
    ...numbers,
    device: machine.device,
    card: machine.card,
    precision: machine.precision,
    instructionSet: machine.instructionSet,
    threads: machine.threads,
    checkpoint: folder.checkpoint,
    record: folder.record,
    report: folder.report,
    ...(plan === null ? {} : { plan }),
  }
}

/** The same for people. */
export function summaryLines({ dataset, result }: RunRecord, folder: RunFolder): string[] {
  const {
    reason,
    testAccuracy,
    testLoss,
    trainLoss,
    connections,
    sparsity,
    epochs,
    seconds,
    samplesPerSecond,
  } = result
  const test =
    testAccuracy === null
      ? `test loss ${formatLoss(testLoss)}`
      : `test accuracy ${formatPercent(testAccuracy)}`
  return [
    '',
    `${dataset.name}: ${test}, training loss ${formatLoss(trainLoss)}${reason === 'finished' ? '' : ' (stopped early)'}`,
    `${formatCount(connections)} connections, sparsity ${formatPercent(sparsity)}`,
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, ${formatSeconds(seconds)} of training, ${formatShort(samplesPerSecond)} samples/s, ${formatCount(result.peakMemoryMB)} MB`,
    '',
    `checkpoint  ${shownPath(folder.checkpoint)}`,
    `report      ${shownPath(folder.report)}`,
  ]
}

/** A path as a person would type it: relative where that is shorter. */
export function shownPath(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.length < file.length ? relative : file
}

import type { Command } from 'commander'
import { type Comparison, compare, comparisonTables, readStudyFile, writeComparison } from '../index.js'
import { CompareBar } from './compare-progress.js'
import { Console, Exit } from './console.js'
import { DownloadBar } from './download-bar.js'
import { addGridOptions, type GridOptions, toCompareOptions } from './grid-options.js'
import { Interrupt } from './interrupt.js'
import { tableLines } from './table.js'
import { shownPath } from './train-answer.js'

const help = `
The study is a JSON file: { "name", "datasets", "sparsities", "seeds", "methods": [{ "name", "network", "fit" }], "baseline" };
docs/compare.md has all of it. Runs that are done are kept in the folder and never done again, so a comparison that was
stopped goes on where it was.`

/** Adds `espalier compare`. */
export function addCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('train a grid of methods, data sets, sparsities and seeds, and compare them with statistics')
    .argument('<study>', 'a JSON file')
  addGridOptions(command, 'runs/<name of the study>')
    .addHelpText('after', help)
    .action((study: string, options: GridOptions) => compareCommand(study, options))
}

async function compareCommand(file: string, options: GridOptions): Promise<void> {
  const console = new Console(options)
  const study = await readStudyFile(file)
  using bar = new CompareBar(console)
  using download = new DownloadBar(console)
  using interrupt = new Interrupt(console, 'ending the runs under way; those that are done are kept', () =>
    bar.stop(),
  )
  const comparison = await compare(study, {
    ...toCompareOptions(options),
    signal: interrupt.signal,
    onProgress: (progress) => bar.handle(progress),
    onDownload: (progress) => download.update(progress),
  })
  bar.stop()
  const written = await writeComparison(comparison)
  console.answer(answerOf(comparison, written), () => lines(comparison, written))
  if (interrupt.exitCode !== null) throw new Exit(interrupt.exitCode)
  const { runs } = comparison
  if (runs.length > 0 && runs.every(({ status }) => status === 'failed')) throw new Exit(1)
}

/** The object of --json; its names are a contract with scripts. */
function answerOf(comparison: Comparison, written: { report: string; csv: string }): object {
  const { reason, plan, folder, runs, baseline, cells, comparisons, remarks } = comparison
  const failed = runs.flatMap((run) => {
    if (run.status === 'finished') return []
    const { dataset, method, sparsity, seed } = run.job
    return [{ dataset: dataset.as, method: method.name, sparsity, seed, error: run.error }]
  })
  return {
    name: plan.name,
    reason,
    folder,
    ...written,
    runs: runs.length,
    failed,
    baseline,
    cells,
    comparisons,
    remarks,
  }
}

/** The same for people. */
function lines(comparison: Comparison, { report, csv }: { report: string; csv: string }): string[] {
  return [
    ...comparisonTables(comparison).flatMap(({ dataset, head, rows }) => [
      '',
      dataset,
      ...tableLines(head, rows),
    ]),
    '',
    ...comparison.remarks,
    `report  ${shownPath(report)}`,
    `runs    ${shownPath(csv)}`,
  ]
}

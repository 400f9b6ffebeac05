import { type Command, Option } from 'commander'
import {
  accuracyTable,
  runStudy,
  type StudyResult,
  studies,
  studyMarkdown,
  verdictText,
  writeComparison,
} from '../index.js'
import { CompareBar } from './compare-progress.js'
import { Console, Exit } from './console.js'
import { DownloadBar } from './download-bar.js'
import { addGridOptions, type GridOptions, toCompareOptions } from './grid-options.js'
import { Interrupt } from './interrupt.js'
import { whole } from './option-values.js'
import { tableLines } from './table.js'
import { shownPath } from './train-answer.js'

const help = `
Each study tests claims of a paper and gives a verdict: supported, not supported, or undecided at this number of seeds.
Without --full it takes minutes, with it hours. Runs that are done are kept and never done again, so a study that was
stopped goes on where it was. docs/studies.md has the results.`

interface StudyCommandOptions extends GridOptions {
  full: boolean
  seeds?: number
  markdown: boolean
}

/** Adds `espalier study`. */
export function addStudy(program: Command): void {
  const command = program
    .command('study')
    .description('test what the papers claim; without a name, list the studies')
    .argument('[name]', 'one of the studies')
    .addOption(new Option('--full', 'as near to the paper as it is known').default(false, 'no'))
    .addOption(
      new Option('--seeds <count>', 'so many seeds (default: those of the study)').argParser(whole(1, 500)),
    )
    .addOption(
      new Option('--markdown', 'print the result as a section of a Markdown page, progress on standard error')
        .default(false, 'no')
        .conflicts('json'),
    )
  addGridOptions(command, 'runs/<name>, or runs/<name>-quick')
    .addHelpText('after', help)
    .action((name: string | undefined, options: StudyCommandOptions) =>
      name === undefined ? listStudies(options) : studyCommand(name, options),
    )
}

function listStudies(options: StudyCommandOptions): void {
  const list = studies.map(({ name, title, claims }) => ({
    name,
    title,
    claims: claims.map(({ text, source }) => ({ text, source })),
  }))
  new Console(options).answer({ studies: list }, () =>
    tableLines(
      ['study', 'what it tests', 'claims'],
      list.map(({ name, title, claims }) => [name, title, claims.length]),
    ),
  )
}

async function studyCommand(name: string, options: StudyCommandOptions): Promise<void> {
  const console = new Console({ ...options, json: options.json || options.markdown })
  using bar = new CompareBar(console)
  using download = new DownloadBar(console)
  using interrupt = new Interrupt(console, 'ending the runs under way; those that are done are kept', () =>
    bar.stop(),
  )
  const result = await runStudy(name, {
    full: options.full,
    ...toCompareOptions(options),
    signal: interrupt.signal,
    onProgress: (progress) => bar.handle(progress),
    onDownload: (progress) => download.update(progress),
    ...(options.seeds === undefined ? {} : { seeds: options.seeds }),
  })
  bar.stop()
  const written = await writeComparison(result.comparison)
  if (options.markdown) process.stdout.write(studyMarkdown(result))
  else console.answer(answerOf(result, written), () => lines(result, written))
  if (interrupt.exitCode !== null) throw new Exit(interrupt.exitCode)
}

/** The object of --json; its names are a contract with scripts. */
function answerOf(result: StudyResult, written: { report: string; csv: string }): object {
  const { name, title, form, standIn, notes, missing, claims, comparison, seconds } = result
  const { reason, plan, folder, runs, cells, comparisons, remarks } = comparison
  return {
    name,
    title,
    form,
    reason,
    folder,
    ...written,
    standIn,
    notes,
    missing,
    claims,
    seeds: plan.seeds,
    runs: runs.length,
    failed: runs.filter(({ status }) => status === 'failed').length,
    seconds,
    cells,
    comparisons,
    remarks,
  }
}

/** The same for people. */
function lines(result: StudyResult, { report, csv }: { report: string; csv: string }): string[] {
  const { name, title, form, notes, missing, claims, comparison } = result
  const { head, rows } = accuracyTable(comparison)
  return [
    '',
    `${name} (${form} form): ${title}`,
    '',
    ...[...notes, ...comparison.remarks].map((note) => `- ${note}`),
    ...missing.map(({ dataset, reason }) => `- ${dataset} is missing: ${reason}`),
    ...claims.flatMap(({ text, source, rule, measured, verdict }, index) => [
      '',
      `claim ${index + 1}   ${text} (${source})`,
      ...measured.map((line) => `measured  ${line}`),
      `verdict   ${verdictText(verdict, result)}`,
      `          ${rule}`,
    ]),
    ...(comparison.reason === 'cancelled' ? ['', 'Stopped before all runs were done: no verdict.'] : []),
    '',
    'test accuracy, %',
    ...tableLines(head, rows),
    '',
    `report  ${shownPath(report)}`,
    `runs    ${shownPath(csv)}`,
  ]
}

/** A study as a section of a Markdown page, as docs/studies.md has them. */
import type { Comparison } from '../experiment/compare.js'
import type { StudyResult } from '../study/run.js'
import type { Verdict } from '../study/verdict.js'
import { formatCount, formatSeconds } from './numbers.js'
import { accuracyTable } from './study-table.js'

/** Title, how it was run, claims with what was measured and the verdict, and the accuracies. */
export function studyMarkdown(result: StudyResult): string {
  const { name, title, form, notes, missing, claims, comparison } = result
  const { head, rows } = accuracyTable(comparison)
  const cells = (row: readonly string[]): string => `| ${row.map(escaped).join(' | ')} |`
  return [
    `## ${name}: ${title}`,
    '',
    `\`npx espalier study ${name}${form === 'full' ? ' --full' : ''}\`: ${howRun(result)}`,
    '',
    ...[settingsOf(comparison), ...notes, ...comparison.remarks].map((note) => `- ${escaped(note)}`),
    ...missing.map(({ dataset, reason }) => `- ${escaped(`${dataset} is missing: ${reason}`)}`),
    '',
    ...claims.flatMap(({ text, source, rule, measured, verdict }, index) => [
      `**Claim ${index + 1}.** ${escaped(text)} *${escaped(source)}*`,
      '',
      ...measured.map((line) => `- ${escaped(line)}`),
      '',
      `**${verdictText(verdict, result)}** ${escaped(rule)}`,
      '',
    ]),
    'Test accuracy in percent, mean and standard deviation over the seeds:',
    '',
    cells(head),
    `|${head.map((_, column) => (column === 0 ? '---|' : '---:|')).join('')}`,
    ...rows.map(cells),
    '',
  ].join('\n')
}

/** "Undecided at 3 seeds, in the quick form." */
export function verdictText(
  verdict: Verdict,
  { form, standIn, comparison }: Pick<StudyResult, 'form' | 'standIn' | 'comparison'>,
): string {
  const { seeds } = comparison.plan
  return [
    `${verdict[0]!.toUpperCase()}${verdict.slice(1)}`,
    verdict === 'undecided' ? ` at ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}` : '',
    form === 'quick' ? ', in the quick form' : '',
    standIn ? ', on generated data' : '',
    '.',
  ].join('')
}

/** Runs, seeds, time and machine in a sentence. */
function howRun({ comparison, found, seconds }: StudyResult): string {
  const { plan, runs } = comparison
  const done = runs.flatMap((run) => (run.status === 'finished' ? [run] : []))
  const work = done.reduce((sum, { result }) => sum + result.wallSeconds, 0)
  const machines = [
    ...new Set(done.map(({ machine }) => `${machine.card ?? machine.processor} (${machine.device})`)),
  ]
  const took = found === 0 ? `${formatSeconds(seconds)} in all; ` : ''
  return (
    `${runs.length} runs, seeds ${plan.seeds.join(', ')}; ${took}the runs one after the other would take ${formatSeconds(work)}. ` +
    `${machines.join('; ')}.`
  )
}

/** Samples, layers and epochs; widths are those of the first method that finished. */
function settingsOf({ plan, runs }: Comparison): string {
  const data = plan.datasets.flatMap(({ as }) => {
    const run = runs.find(({ job, status }) => job.dataset.as === as && status === 'finished')
    if (run?.status !== 'finished') return []
    const widths = run.layers.flatMap(({ type, outputs }) =>
      type === 'sparse' || type === 'dense' ? [outputs] : [],
    )
    const samples = `${formatCount(run.data.train)} + ${formatCount(run.data.test)}`
    return [`${as} ${samples}, ${[run.data.features, ...widths].join('-')}`]
  })
  const epochs = [...new Set(plan.methods.map(({ fit }) => fit.epochs))].join(' or ')
  return `Samples to train + to test, and layers: ${data.join('; ')}. ${epochs} epochs.`
}

/** Signs that would begin something in Markdown. */
const escaped = (text: string): string => text.replace(/[|*_]|<(?=[a-z/!])/gi, (sign) => `\\${sign}`)

import path from 'node:path'
import type { Comparison } from '../experiment/compare.js'
import { writeWholeText } from '../formats/atomic-file.js'
import { drawCurves, drawScores } from './comparison-charts.js'
import { comparisonCsv } from './comparison-csv.js'
import { comparisonTables, percent } from './comparison-rows.js'
import { html, Markup } from './html.js'
import { formatCount } from './numbers.js'
import { style } from './style.js'

/** A comparison as one HTML page that asks nothing of the network. Text from the study is escaped. */
export async function renderComparison(comparison: Comparison): Promise<string> {
  const { plan } = comparison
  const parts: Markup[] = []
  for (const table of comparisonTables(comparison)) parts.push(await datasetSection(comparison, table))
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${plan.name} - Espalier</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${header(comparison)}
${parts}
${failures(comparison)}
${settings(comparison)}
</main>
</body>
</html>
`
  return page.text
}

/**
 * Writes a comparison beside its runs: `report.html` and, with a line for each run, `runs.csv`; older ones are replaced whole.
 *
 * @returns the two paths
 * @throws ERR_ESPALIER_FILE
 */
export async function writeComparison(comparison: Comparison): Promise<{ report: string; csv: string }> {
  const report = path.join(comparison.folder, 'report.html')
  const csv = path.join(comparison.folder, 'runs.csv')
  await writeWholeText(csv, comparisonCsv(comparison))
  await writeWholeText(report, await renderComparison(comparison))
  return { report, csv }
}

function header({ plan, runs, remarks, baseline, reason }: Comparison): Markup {
  const badge = reason === 'cancelled' ? html`<span class="badge">not finished</span>` : null
  const counts = [
    `${plan.methods.length} methods`,
    `${plan.datasets.length} data sets`,
    `${plan.seeds.length} seeds`,
    `${formatCount(runs.length)} runs`,
  ].join(', ')
  return html`<header>
<h1>${plan.name}${badge}</h1>
<p>${counts}. Differences are to ${baseline}, paired by seed.</p>
${remarks.map((remark) => html`<p>${remark}</p>`)}
</header>`
}

async function datasetSection(
  comparison: Comparison,
  { dataset, head, rows }: ReturnType<typeof comparisonTables>[number],
): Promise<Markup> {
  const { plan } = comparison
  const cards: (Markup | null)[] = [
    card(
      'Methods',
      'Mean over the seeds, and one standard deviation of these.',
      await drawScores(comparison, dataset),
    ),
  ]
  for (const sparsity of plan.methods.some(({ free }) => free) ? plan.sparsities : [null]) {
    const at = sparsity === null ? '' : ` at ${percent(sparsity)}`
    const svg = await drawCurves(comparison, dataset, sparsity)
    cards.push(card(`Learning${at}`, 'On the test part after each epoch, mean over the seeds.', svg))
  }
  // The first two columns are names.
  const kind = (column: number): string => (column < 2 ? '' : 'number')
  return html`<h2>${dataset}</h2><div class="grid">${cards}</div>
<div class="card scroll"><table>
<thead><tr>${head.map((title, column) => html`<th class="${kind(column)}">${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, column) => html`<td class="${kind(column)}">${cell}</td>`)}</tr>`)}</tbody>
</table></div>
<p class="note">${explanation}</p>`
}

/** What the columns of the tables are. */
export const explanation =
  'Accuracy: mean \u00b1 sample standard deviation over the seeds. Difference: mean difference to the baseline with its 95 % confidence ' +
  'interval. p: two-sided, paired t-test and exact Wilcoxon signed rank test; Holm: p of the t-test corrected over all comparisons of ' +
  'the study. d_z: mean difference over the standard deviation of the differences; d: over the pooled standard deviation of the two ' +
  'methods. Training FLOPs: 2 x 3 x connections x samples.'

function card(title: string, note: string, svg: Markup | null): Markup | null {
  if (svg === null) return null
  return html`<figure class="card"><h3>${title}</h3><figcaption>${note}</figcaption>${svg}</figure>`
}

function failures({ runs }: Comparison): Markup | null {
  const failed = runs.flatMap((run) => (run.status === 'failed' ? [run] : []))
  if (failed.length === 0) return null
  const rows = failed.map(
    ({ job, error }) => html`<tr><td>${job.dataset.as}</td><td>${job.method.name}</td>
<td>${job.sparsity === null ? '-' : percent(job.sparsity)}</td><td>${job.seed}</td><td>${error.message}</td></tr>`,
  )
  return html`<h2>Runs that failed</h2><div class="card scroll"><table>
<thead><tr><th>data set</th><th>method</th><th>sparsity</th><th>seed</th><th>error</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function settings({ plan, runs }: Comparison): Markup {
  const machines = new Set(
    runs.flatMap((run) => {
      if (run.status === 'failed') return []
      const { processor, platform, instructionSet, device, card, threads, node, espalier } = run.machine
      const where = card ?? `${processor} (${device}, ${instructionSet})`
      return [
        `${where}, ${threads} ${threads === 1 ? 'thread' : 'threads'} a run, ${platform}, Node ${node}, Espalier ${espalier}`,
      ]
    }),
  )
  const study = JSON.stringify(plan, null, 2)
  return html`<h2>Settings</h2><div class="card">${[...machines].map((machine) => html`<p>${machine}</p>`)}<pre>${study}</pre></div>`
}

import { writeWholeText } from '../formats/atomic-file.js'
import { html, Markup } from './html.js'
import type { RunRecord } from './run-record.js'
import { course, fans, header, inputs, layerTable, settings } from './sections.js'
import { style } from './style.js'

/** The report of a run as one HTML page that asks nothing of the network. Text from the record is escaped. */
export async function renderReport(record: RunRecord): Promise<string> {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${record.name} - Espalier</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${header(record)}
${await course(record)}
${await inputs(record)}
${await fans(record)}
${layerTable(record)}
${settings(record)}
</main>
</body>
</html>
`
  return page.text
}

/** Writes the report of a run to a file; an older one is replaced whole. Throws ERR_ESPALIER_FILE. */
export async function writeReport(path: string, record: RunRecord): Promise<void> {
  await writeWholeText(path, await renderReport(record))
}

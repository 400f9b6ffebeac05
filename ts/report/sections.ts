/** The parts of a report, each from a run record to HTML. */

import { deadNeurons } from '../analysis/dead-neurons.js'
import { spread } from '../analysis/fan.js'
import { inputConnections, rankInputs } from '../analysis/inputs.js'
import { drawHistory, drawMoves } from './curves.js'
import { html, type Markup } from './html.js'
import { formatCount, formatLoss, formatPercent, formatSeconds, formatShort } from './numbers.js'
import type { RunRecord } from './run-record.js'
import { drawFan, drawInputs, drawPixels, mostBars } from './spread-charts.js'

const reasons = {
  finished: null,
  cancelled: 'stopped early',
  maxSteps: 'stopped by maxSteps',
  maxSeconds: 'stopped by maxSeconds',
  earlyStopping: 'stopped when it got no better',
  failed: 'failed',
} as const

const tile = (name: string, value: string, beside = ''): Markup =>
  html`<div class="tile"><span>${name}</span><strong>${value} <small>${beside}</small></strong></div>`

/** Name, what it was trained on, and the numbers that matter. */
export function header({ name, started, dataset, machine, result, layers }: RunRecord): Markup {
  const reason = reasons[result.reason]
  const dense = layers.reduce(
    (sum, layer) =>
      sum + (layer.type === 'sparse' || layer.type === 'dense' ? layer.inputs * layer.outputs : 0),
    0,
  )
  const when = `${started.slice(0, 16).replace('T', ' ')} UTC`
  return html`<header>
<h1>${name}${reason === null ? null : html`<span class="badge">${reason}</span>`}</h1>
<p>${dataset.name}: ${formatCount(dataset.trainSamples)} training and ${formatCount(dataset.testSamples)} test samples, ${formatCount(dataset.features)} features, ${dataset.classes} classes. ${when}, Espalier ${machine.espalier}.</p>
${result.error === null ? null : html`<p>${result.error.message}</p>`}
<div class="tiles">
${tile('test accuracy', formatPercent(result.testAccuracy))}
${tile('training loss', formatLoss(result.trainLoss))}
${tile('sparsity', formatPercent(result.sparsity))}
${tile('connections', formatShort(result.connections), `of ${formatShort(dense)}`)}
${tile('training time', formatSeconds(result.seconds))}
${tile('samples a second', formatShort(result.samplesPerSecond))}
${tile('peak memory', `${formatCount(result.peakMemoryMB)} MB`)}
</div>
</header>`
}

const card = (title: string, note: string, svg: Markup, kind = ''): Markup =>
  html`<figure class="card ${kind}"><h3>${title}</h3><figcaption>${note}</figcaption>${svg}</figure>`

/** Curves of the whole run. */
export async function course(record: RunRecord): Promise<Markup> {
  const loss = await drawHistory(record, 'loss')
  const accuracy = await drawHistory(record, 'accuracy')
  const moves = await drawMoves(record)
  if (loss === null && moves === null)
    return html`<h2>Training</h2><p class="note">The run ended before its first epoch did.</p>`
  const rewired = `${formatPercent(share(record.result.rewireSeconds, record.result.seconds), 1)} of the training time went into rewiring.`
  return html`<h2>Training</h2><div class="grid">
${loss && card('Loss', 'Mean over the samples of each epoch.', loss)}
${accuracy && card('Accuracy', 'Share of right answers.', accuracy)}
${
  moves &&
  card(
    'Connections moved per rewiring',
    `Dropped in one place and grown in another; those that came back are not counted. ${
      moves.group > 1 ? `Each point is the mean of ${moves.group} rewirings. ` : ''
    }${rewired}`,
    moves.svg,
    'wide',
  )
}
</div>`
}

/** Which inputs the network looks at. */
export async function inputs({ dataset, layers }: RunRecord): Promise<Markup | null> {
  const counts = inputConnections(layers)
  if (counts === null) return null
  const { min, median, max, none } = spread(counts)
  const numbers = `Least ${formatCount(min)}, median ${formatCount(median)}, most ${formatCount(max)}; ${formatCount(none)} of ${formatCount(counts.length)} keep none.`
  if (dataset.imageShape !== null && dataset.imageShape[0] * dataset.imageShape[1] === counts.length) {
    const { svg, pool } = await drawPixels(counts, dataset.imageShape)
    const pooled = pool > 1 ? ` Each square is the mean of ${pool} x ${pool} pixels.` : ''
    const picture = html`<div class="beside">${svg}${pixelTable(counts, dataset.imageShape[1])}</div>`
    return html`<h2>Inputs</h2>${card('Connections of each input pixel', `${numbers}${pooled}`, picture, 'pixels')}`
  }
  const shown = counts.length > mostBars ? ` The first ${mostBars} of the ranking are shown.` : ''
  const svg = await drawInputs(counts, dataset.featureNames)
  return html`<h2>Inputs</h2>${card('Inputs by connections', `${numbers}${shown}`, svg)}`
}

/** The pixels that keep the most connections, counted from 1 at the top left. */
function pixelTable(counts: readonly number[], width: number): Markup {
  const rows = rankInputs(counts, null)
    .slice(0, 10)
    .map(
      ({ index, connections }) =>
        html`<tr><td class="number">${Math.floor(index / width) + 1}</td><td class="number">${(index % width) + 1}</td><td class="number">${formatCount(connections)}</td></tr>`,
    )
  return html`<table><thead><tr><th class="number">row</th><th class="number">column</th><th class="number">most connections</th></tr></thead><tbody>${rows}</tbody></table>`
}

function fanNote(counts: readonly number[], what: string): string {
  const { min, median, max, cv, none } = spread(counts)
  return `Least ${formatCount(min)}, median ${formatCount(median)}, most ${formatCount(max)}; coefficient of variation ${cv.toFixed(3)}; ${formatCount(none)} ${what} without any.`
}

/** Fan-in and fan-out of every sparse layer. */
export async function fans({ layers }: RunRecord): Promise<Markup | null> {
  const cards: Markup[] = []
  for (const [index, { fanIn, fanOut }] of layers.entries()) {
    if (fanIn === null || fanOut === null) continue
    cards.push(
      card(`Layer ${index + 1}: fan-in`, fanNote(fanIn, 'outputs'), await drawFan(fanIn, 'fan-in')),
      card(`Layer ${index + 1}: fan-out`, fanNote(fanOut, 'inputs'), await drawFan(fanOut, 'fan-out')),
    )
  }
  return cards.length === 0 ? null : html`<h2>Fan-in and fan-out</h2><div class="grid">${cards}</div>`
}

/** A row for each layer. */
export function layerTable({ layers }: RunRecord): Markup {
  const dead = deadNeurons(layers)
  const rows = layers.map(
    ({ type, inputs, outputs, block, sparsity, connections, parameters }, index) => html`<tr>
<td>${index + 1}</td><td>${type}</td><td class="number">${formatCount(inputs)}</td><td class="number">${formatCount(outputs)}</td>
<td class="number">${block === null ? '-' : block.join(' x ')}</td><td class="number">${block === null ? '-' : formatPercent(sparsity)}</td>
<td class="number">${formatCount(connections)}</td><td class="number">${formatCount(parameters)}</td><td class="number">${dead[index] ?? '-'}</td></tr>`,
  )
  return html`<h2>Layers</h2><div class="card scroll"><table>
<thead><tr><th>layer</th><th>kind</th><th class="number">inputs</th><th class="number">outputs</th><th class="number">block</th><th class="number">sparsity</th><th class="number">connections</th><th class="number">parameters</th><th class="number">dead neurons</th></tr></thead>
<tbody>${rows}</tbody></table></div>`
}

/** Everything that is needed to run it again. */
export function settings({ settings, machine, command, dataset }: RunRecord): Markup {
  const pairs: [string, string][] = [
    ['data set', dataset.source],
    ...Object.entries(settings).map(([name, value]): [string, string] => [name, String(value)]),
    [
      'device',
      machine.card === null
        ? `${machine.device}, ${machine.instructionSet}, ${machine.threads} threads`
        : `${machine.card} (${machine.device}, ${machine.precision})`,
    ],
    ['processor', machine.processor],
    ['system', `${machine.platform}, Node ${machine.node}`],
  ]
  return html`<h2>Settings</h2><div class="card"><dl class="pairs">${pairs.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl><pre>${command}</pre></div>`
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

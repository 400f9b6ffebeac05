import type { Layer, MemoryUse } from '../../index.js'
import { formatBytes, formatCount, formatPercent } from '../../report/numbers.js'
import { tableLines } from '../table.js'
import type { LayerComparison } from './comparison.js'
import type { Fan, InspectedLayer, Inspection } from './inspection.js'

/** An inspection for people. */
export function inspectionLines(inspection: Inspection): string[] {
  const { epochs, steps, rewirings, topology, rewire, loss, seed, memory } = inspection
  const course = `${epochs} epochs, ${formatCount(steps)} steps, ${formatCount(rewirings)} rewirings`
  return [
    `${course}; loss ${loss}, seed ${seed}`,
    `topology: ${methodText(topology)}`,
    ...(rewire === null ? [] : [`rewiring: ${methodText(rewire)}`]),
    ...section(layerTable(inspection)),
    ...section(fanTable(inspection)),
    ...section(comparisonTable(inspection)),
    ...section(concentrationTable(inspection)),
    ...section({ head: ['memory', ''], rows: memoryRows(memory) }),
    ...section(inputTable(inspection)),
  ]
}

/** What a builder made, in a line: `rigl, every 100, until 0.75`; of lists only how long they are. */
function methodText({ type, ...options }: { type: string }): string {
  const texts = Object.entries(options).map(([name, value]: [string, unknown]) => {
    if (Array.isArray(value)) return `${name} of ${value.length}`
    const isMethod = value !== null && typeof value === 'object' && 'type' in value
    return `${name} ${isMethod ? value.type : (value ?? 'none')}`
  })
  return [type, ...texts].join(', ')
}

interface Table {
  head: string[]
  rows: (string | number)[][]
}

/** An empty line and the table; nothing where it has no rows. */
const section = ({ head, rows }: Table): string[] =>
  rows.length === 0 ? [] : ['', ...tableLines(head, rows)]

const layerTable = ({ layers }: Inspection): Table => ({
  head: [
    'layer',
    'kind',
    'inputs',
    'outputs',
    'block',
    'sparsity',
    'connections',
    'parameters',
    'dead',
    'removed',
    'explored',
  ],
  rows: layers.map((layer, index) => [
    index + 1,
    kindText(layer.description),
    formatCount(layer.inputs),
    formatCount(layer.outputs),
    layer.block?.join('x') ?? '-',
    layer.block === null ? '-' : formatPercent(layer.sparsity),
    formatCount(layer.connections),
    formatCount(layer.parameters),
    layer.dead ?? '-',
    layer.dead === null ? '-' : formatCount(layer.removedNeurons),
    formatPercent(layer.exploration),
  ]),
})

/** The kind of a layer, and what makes it a baseline: `sparse, masked`. */
function kindText(layer: Layer): string {
  const masked = layer.type === 'sparse' && layer.masked ? ', masked' : ''
  const dropped = 'dropConnect' in layer && layer.dropConnect > 0 ? `, dropConnect ${layer.dropConnect}` : ''
  return `${layer.type}${masked}${dropped}`
}

const fanTable = ({ layers }: Inspection): Table => ({
  head: [
    'connections',
    'of',
    'least',
    'median',
    'most',
    'variation',
    'none',
    'lognormal mu',
    'sigma',
    'misfit',
  ],
  rows: layers.flatMap(({ fanIn, fanOut }, index) => [
    ...(fanIn === null ? [] : [[`into layer ${index + 1}`, 'outputs', ...fanCells(fanIn)]]),
    ...(fanOut === null ? [] : [['', 'inputs', ...fanCells(fanOut)]]),
  ]),
})

const fanCells = ({ min, median, max, cv, none, lognormal }: Fan): string[] => [
  formatCount(min),
  formatCount(median),
  formatCount(max),
  cv.toFixed(3),
  formatCount(none),
  ...[lognormal?.mu, lognormal?.sigma, lognormal?.distance].map((value) => value?.toFixed(3) ?? '-'),
]

function comparisonTable({ layers, against }: Inspection): Table {
  const compared = (name: string, pick: (layer: InspectedLayer) => LayerComparison | null) =>
    layers.flatMap((layer, index) => {
      const comparison = pick(layer)
      if (comparison === null) return []
      const { moved, jaccard, fanIn } = comparison
      const cells = [formatPercent(moved), jaccard?.toFixed(3) ?? '-', fanIn.toFixed(3)]
      return [[name, index + 1, ...cells]]
    })
  return {
    head: ['compared with', 'layer', 'connections gone', 'Jaccard distance', 'fan-in apart'],
    rows: [
      ...compared('the start', ({ sinceStart }) => sinceStart),
      ...compared(against ?? '', (layer) => layer.against),
    ],
  }
}

function concentrationTable({ layers, gradients }: Inspection): Table {
  const rows = layers.flatMap(({ concentration }, index) =>
    concentration === null ? [] : [[index + 1, concentration.toFixed(3)]],
  )
  const measured =
    gradients === null ? '' : ` (${formatCount(gradients.samples)} samples of ${gradients.dataset})`
  return { head: ['layer', `gradient at hubs, times the mean${measured}`], rows }
}

const inputTable = ({ topInputs }: Inspection): Table => ({
  head: ['input', 'connections', 'share'],
  rows: topInputs.map(({ name, connections, share }) => [
    name,
    formatCount(connections),
    formatPercent(share),
  ]),
})

function memoryRows(memory: MemoryUse): [string, string][] {
  const parts: [string, number][] = Object.entries(memory)
  const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0)
  return [...parts, ['total', total] as const].map(([name, bytes]) => [name, formatBytes(bytes)])
}

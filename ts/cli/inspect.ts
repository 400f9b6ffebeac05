import type { Command } from 'commander'
import {
  deadNeurons,
  inputConnections,
  type MemoryUse,
  Network,
  type NetworkDescription,
  rankInputs,
  type Spread,
  spread,
} from '../index.js'
import { formatBytes, formatCount, formatPercent } from '../report/numbers.js'
import { Console } from './console.js'
import { whole } from './option-values.js'
import { readRecordBeside } from './run-folder.js'
import { layerRecords } from './run-recorder.js'
import { tableLines } from './table.js'

/** Adds `espalier inspect`. */
export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('look at a network: layers, connections, fan-in and fan-out, dead neurons, memory, inputs')
    .argument('<checkpoint>', 'a model.safetensors that training wrote')
    .option('--inputs <count>', 'how many of the inputs with the most connections to list', whole(0), 10)
    .option('--json', 'print one JSON object')
    .action(inspect)
}

interface Inspection {
  checkpoint: string
  inputs: number
  loss: NetworkDescription['loss']
  topology: string
  seed: number
  epochs: number
  steps: number
  rewirings: number
  layers: InspectedLayer[]
  /** Bytes. */
  memory: MemoryUse
  topInputs: { index: number; name: string; connections: number }[]
}

interface InspectedLayer {
  type: string
  inputs: number
  outputs: number
  block: readonly [number, number] | null
  sparsity: number
  connections: number
  parameters: number
  /** Over the outputs; null for a layer without a pattern. */
  fanIn: Spread | null
  /** Over the inputs. */
  fanOut: Spread | null
  /** Hidden neurons without connections in or out; null for the outputs of the network. */
  dead: number | null
}

async function inspect(checkpoint: string, options: { inputs: number; json?: boolean }): Promise<void> {
  using network = await Network.load(checkpoint)
  const record = await readRecordBeside(checkpoint)
  const layers = await layerRecords(network)
  const dead = deadNeurons(layers)
  const { description, progress } = network
  const inspection: Inspection = {
    checkpoint,
    inputs: description.inputs,
    loss: description.loss,
    topology: description.topology.type,
    seed: description.seed,
    ...progress,
    layers: layers.map((layer, index) => ({
      ...layer,
      fanIn: layer.fanIn && spread(layer.fanIn),
      fanOut: layer.fanOut && spread(layer.fanOut),
      dead: dead[index]!,
    })),
    memory: network.memory(),
    topInputs: rankInputs(inputConnections(layers) ?? [], record?.dataset.featureNames ?? null).slice(
      0,
      options.inputs,
    ),
  }
  new Console(options).answer(inspection, () => inspectionLines(inspection))
}

function inspectionLines({
  epochs,
  steps,
  rewirings,
  topology,
  loss,
  seed,
  layers,
  memory,
  topInputs,
}: Inspection): string[] {
  return [
    `${epochs} epochs, ${formatCount(steps)} steps, ${formatCount(rewirings)} rewirings; topology ${topology}, loss ${loss}, seed ${seed}`,
    '',
    ...tableLines(
      ['layer', 'kind', 'inputs', 'outputs', 'block', 'sparsity', 'connections', 'parameters', 'dead'],
      layers.map((layer, index) => [
        index + 1,
        layer.type,
        formatCount(layer.inputs),
        formatCount(layer.outputs),
        layer.block?.join('x') ?? '-',
        layer.block === null ? '-' : formatPercent(layer.sparsity),
        formatCount(layer.connections),
        formatCount(layer.parameters),
        layer.dead ?? '-',
      ]),
    ),
    '',
    ...tableLines(
      ['connections', 'of', 'least', 'median', 'most', 'variation', 'none'],
      layers.flatMap(({ fanIn, fanOut }, index) => [
        ...(fanIn === null ? [] : [[`into layer ${index + 1}`, 'outputs', ...spreadCells(fanIn)]]),
        ...(fanOut === null ? [] : [['', 'inputs', ...spreadCells(fanOut)]]),
      ]),
    ),
    '',
    ...tableLines(['memory', ''], memoryRows(memory)),
    ...(topInputs.length === 0
      ? []
      : [
          '',
          ...tableLines(
            ['input', 'connections'],
            topInputs.map(({ name, connections }) => [name, formatCount(connections)]),
          ),
        ]),
  ]
}

const spreadCells = ({ min, median, max, cv, none }: Spread): string[] => [
  formatCount(min),
  formatCount(median),
  formatCount(max),
  cv.toFixed(3),
  formatCount(none),
]

function memoryRows(memory: MemoryUse): [string, string][] {
  const parts: [string, number][] = Object.entries(memory)
  const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0)
  return [...parts, ['total', total] as const].map(([name, bytes]) => [name, formatBytes(bytes)])
}

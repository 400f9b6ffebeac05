/** Where and how a command computes: its options, the same for each command, and how the plan is shown. */
import { type Command, Option } from 'commander'
import type { NetworkPlan, PlacementOptions } from '../index.js'
import { tableLines } from './table.js'

export interface DeviceOptions extends Required<PlacementOptions> {
  verbose: boolean
}

const options = [
  new Option('--device <name>', 'what computes: cuda is an NVIDIA GPU, auto is the GPU where one is usable')
    .choices(['auto', 'cpu', 'cuda'])
    .default('auto'),
  new Option(
    '--precision <name>',
    'how far products may round their factors (tf32: on a GPU); sums and weights are float32 always',
  )
    .choices(['float32', 'tf32', 'bfloat16'])
    .default('float32'),
  new Option(
    '--dense-fallback',
    'let the GPU multiply a layer as a dense copy where that is faster; takes the memory of a dense layer',
  ).default(false, 'no'),
  new Option('--verbose', 'say how the device carries out each product, and what it timed').default(
    false,
    'no',
  ),
] as const

/** Adds the options to a command. */
export function addDeviceOptions(command: Command): Command {
  for (const option of options) command.addOption(option)
  return command
}

/** Of all options of a command, those that `new Network` takes. */
export const placementOf = ({ device, precision, denseFallback }: DeviceOptions): PlacementOptions => ({
  device,
  precision,
  denseFallback,
})

/** The plan for people. */
export function planLines({ device, products }: NetworkPlan): string[] {
  if (products.length === 0) return [`device ${device ?? 'none yet'}: one way for each product`]
  return [
    `device ${device}`,
    ...tableLines(
      ['layer', 'product', 'chosen', 'timed, in microseconds'],
      products.map(({ layer, product, chosen, candidates }) => [
        layer + 1,
        product,
        chosen,
        candidates.map(({ name, microseconds }) => `${name} ${microseconds.toFixed(1)}`).join(', '),
      ]),
    ),
  ]
}

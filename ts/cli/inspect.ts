import type { Command } from 'commander'
import { Network } from '../index.js'
import { Console, usage } from './console.js'
import { type DeviceOptions, placementOf, planLines } from './device-options.js'
import { measureConcentration } from './inspect/concentration.js'
import { inspectNetwork } from './inspect/inspection.js'
import { inspectionLines } from './inspect/lines.js'
import { Interrupt } from './interrupt.js'
import { heldOut, loadSamples, type SampleOptions } from './load-data.js'
import { whole } from './option-values.js'
import { readRecordBeside } from './run-folder.js'
import { addSampleOptions } from './sample-options.js'

const help = `
"dead" neurons have no connection in or none out; "removed" ones are those of them that a rule took away. "explored"
is R_s, the share of positions that ever had a connection, where training followed it. "variation" is the standard
deviation over the mean. A lognormal distribution is fitted to the counts above 0; "misfit" is the largest difference
between its shares and theirs (Kolmogorov-Smirnov). "fan-in apart" compares distributions of fan-in, each over its
mean, by the Wasserstein-1 distance: 0.1 is a tenth of the mean. "at hubs" is the mean |gradient| of the connections
into the tenth of the neurons with the largest fan-in, over the mean of all; it needs a data set, whose part and
scaling are those of "espalier evaluate".`

/** Adds `espalier inspect`. */
export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('look at a network: layers, connections, fan-in and fan-out, dead neurons, memory, inputs')
    .argument('<checkpoint>', 'a model.safetensors that training wrote')
    .argument(
      '[data set]',
      'see where its gradients gather: a name from "espalier data", or the path of a file',
    )
    .option('--inputs <count>', 'how many of the inputs with the most connections to list', whole(0), 10)
    .option('--against <checkpoint>', 'compare connections and fan-in with those of another network')
    .option('--batch <size>', 'samples of a batch whose gradient is taken (default: 128)', whole(1, 2 ** 24))
  addSampleOptions(command).addHelpText('after', help).action(inspect)
}

interface InspectOptions extends SampleOptions, DeviceOptions {
  inputs: number
  batch?: number
  against?: string
  threads?: number
  json?: boolean
  quiet?: boolean
}

async function inspect(
  checkpoint: string,
  source: string | undefined,
  options: InspectOptions,
): Promise<void> {
  if (source === undefined) refuseWithoutData(options)
  const console = new Console(options)
  using interrupt = new Interrupt(console, 'stopping')
  using network = await Network.load(checkpoint, placementOf(options))
  const record = await readRecordBeside(checkpoint)
  const samples =
    source === undefined
      ? null
      : await loadSamples(source, heldOut(source, record, options), record, console, interrupt.signal)
  const inspection = await inspectNetwork(checkpoint, network, {
    inputs: options.inputs,
    inputNames: record?.dataset.featureNames ?? null,
    against: options.against ?? null,
    gradients:
      samples && (await measureConcentration(network, samples, { ...options, batch: options.batch ?? 128 })),
  })
  const plan = options.verbose ? network.plan() : null
  if (plan !== null && !console.json) for (const line of planLines(plan)) console.note(line)
  console.answer({ ...inspection, ...(plan === null ? {} : { plan }) }, () => inspectionLines(inspection))
}

/** An option without effect is a mistake. */
function refuseWithoutData(options: InspectOptions): void {
  for (const name of ['data', 'label', 'part', 'seed', 'batch', 'threads'] as const) {
    if (options[name] !== undefined)
      throw usage(`option '--${name}' is for a data set; name one after the checkpoint`)
  }
}

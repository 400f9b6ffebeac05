import type { Command } from 'commander'
import { Network } from '../index.js'
import { formatCount, formatLoss, formatPercent } from '../report/numbers.js'
import { Console } from './console.js'
import { type DeviceOptions, placementOf, planLines } from './device-options.js'
import { Interrupt } from './interrupt.js'
import { heldOut, loadSamples, type SampleOptions } from './load-data.js'
import { readRecordBeside } from './run-folder.js'
import { addSampleOptions } from './sample-options.js'

const help = `
The test part of a catalogued data set is used, and of the file that the network was trained on the part that was
held back; any other file is used whole. Values are scaled as in training: with the numbers in the run.json beside
the checkpoint. Without a run.json the data is scaled by itself, and every file is used whole.`

/** Adds `espalier evaluate`. */
export function addEvaluate(program: Command): void {
  const command = program
    .command('evaluate')
    .description('measure loss and accuracy of a trained network')
    .argument('<checkpoint>', 'a model.safetensors that training wrote')
    .argument('<data set>', 'a name from "espalier data", or the path of a file')
  addSampleOptions(command).addHelpText('after', help).action(evaluate)
}

interface EvaluateOptions extends SampleOptions, DeviceOptions {
  threads?: number
  json?: boolean
  quiet?: boolean
}

async function evaluate(checkpoint: string, source: string, options: EvaluateOptions): Promise<void> {
  const console = new Console(options)
  using interrupt = new Interrupt(console, 'stopping')
  using network = await Network.load(checkpoint, placementOf(options))
  const record = await readRecordBeside(checkpoint)
  const chosen = heldOut(source, record, options)
  const samples = await loadSamples(source, chosen, record, console, interrupt.signal)
  const { loss, accuracy } = await network.evaluate(
    samples,
    options.threads === undefined ? {} : { threads: options.threads },
  )
  const plan = options.verbose ? network.plan() : null
  if (plan !== null && !console.json) for (const line of planLines(plan)) console.note(line)
  const answer = { checkpoint, dataset: samples.name, samples: samples.samples, loss, accuracy }
  console.answer({ ...answer, ...(plan === null ? {} : { plan }) }, () => [
    `${samples.name}, ${formatCount(samples.samples)} samples: ${
      accuracy === null ? '' : `accuracy ${formatPercent(accuracy)}, `
    }loss ${formatLoss(loss)}`,
  ])
}

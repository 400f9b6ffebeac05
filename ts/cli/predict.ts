import type { Command } from 'commander'
import { writeWholeText } from '../formats/atomic-file.js'
import type { RunRecord } from '../index.js'
import { type Dataset, Network } from '../index.js'
import { formatCount } from '../report/numbers.js'
import { Console } from './console.js'
import { type DeviceOptions, placementOf, planLines } from './device-options.js'
import { Interrupt } from './interrupt.js'
import { loadSamples, type SampleOptions } from './load-data.js'
import { readRecordBeside } from './run-folder.js'
import { addSampleOptions } from './sample-options.js'

const help = `
Writes CSV, a line for each sample in order: the predicted class and the probability of each class, or the outputs of
a network for regression. A file is used whole; of a catalogued data set the test part. The file must have the
columns that the training file had; add --no-label where the label column is not there. Values are scaled as in
training: with the numbers in the run.json beside the checkpoint. Without a run.json the data is scaled by itself.`

/** Adds `espalier predict`. */
export function addPredict(program: Command): void {
  const command = program
    .command('predict')
    .description('write what a trained network says about each sample')
    .argument('<checkpoint>', 'a model.safetensors that training wrote')
    .argument('<data set>', 'the path of a file, or a name from "espalier data"')
    .option('--out <file>', 'where the CSV goes (default: standard output)')
  addSampleOptions(command)
    .option('--no-label', 'the file has no labels')
    .addHelpText('after', help)
    .action(predict)
}

interface PredictOptions extends SampleOptions, DeviceOptions {
  out?: string
  threads?: number
  json?: boolean
  quiet?: boolean
}

async function predict(checkpoint: string, source: string, options: PredictOptions): Promise<void> {
  const console = new Console(options)
  using interrupt = new Interrupt(console, 'stopping')
  using network = await Network.load(checkpoint, placementOf(options))
  const record = await readRecordBeside(checkpoint)
  const samples = await loadSamples(source, options, record, console, interrupt.signal)
  const values = await network.predict(
    samples,
    options.threads === undefined ? {} : { threads: options.threads },
  )
  const predictions = readPredictions(
    values,
    samples,
    record,
    network.description.loss === 'softmaxCrossEntropy',
  )
  const plan = options.verbose ? network.plan() : null
  if (plan !== null && !console.json) for (const line of planLines(plan)) console.note(line)
  const answer = {
    checkpoint,
    dataset: samples.name,
    samples: samples.samples,
    ...(plan === null ? {} : { plan }),
  }

  if (options.out !== undefined) {
    await writeWholeText(options.out, csvLines(predictions).join(''))
    console.answer({ ...answer, out: options.out }, () => [
      `${formatCount(samples.samples)} predictions in ${options.out}`,
    ])
  } else if (console.json) {
    console.answer({ ...answer, ...predictions }, () => [])
  } else process.stdout.write(csvLines(predictions).join(''))
}

interface Predictions {
  /** What each output is called. */
  outputs: string[]
  /** Class of each sample; null where the network does not tell classes. */
  predicted: string[] | null
  /** A row of outputs for each sample. */
  values: number[][]
}

function readPredictions(
  values: Float32Array,
  samples: Dataset,
  record: RunRecord | null,
  classes: boolean,
): Predictions {
  const width = values.length / samples.samples
  const names = record?.dataset.classNames ?? []
  const outputs = Array.from({ length: width }, (_, output) =>
    classes ? (names[output] ?? String(output)) : `output ${output}`,
  )
  const rows = Array.from({ length: samples.samples }, (_, row) =>
    values.subarray(row * width, (row + 1) * width),
  )
  return {
    outputs,
    predicted: classes ? rows.map((row) => outputs[row.indexOf(Math.max(...row))]!) : null,
    values: rows.map((row) => Array.from(row, shortest)),
  }
}

/** The float32 without the digits that only its float64 form has. */
const shortest = (value: number): number => Number(value.toPrecision(7))

/** A header, then a line for each sample, quoted as RFC 4180 says. */
function csvLines({ outputs, predicted, values }: Predictions): string[] {
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const head = predicted === null ? outputs : ['predicted', ...outputs.map((name) => `p(${name})`)]
  const rows = values.map((row, index) => [
    ...(predicted === null ? [] : [predicted[index]!]),
    ...row.map(String),
  ])
  return [head, ...rows].map((cells) => `${cells.map(quote).join(',')}\n`)
}

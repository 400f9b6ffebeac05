import type { Command } from 'commander'
import { type CatalogueRow, listDatasets, loadDataset } from '../index.js'
import { formatCount } from '../report/numbers.js'
import { Console } from './console.js'
import { DownloadBar } from './download-bar.js'
import { Interrupt } from './interrupt.js'
import { sameName } from './load-data.js'
import { tableLines } from './table.js'

/** Adds `espalier data` and `espalier data get`. */
export function addData(program: Command): void {
  const data = program.command('data').description('list the data sets that can be trained on by name')
  data
    .option('--data <folder>', 'look for data sets here first')
    .option('--json', 'print one JSON object')
    .action((options: ListOptions) => list(options))
  data
    .command('get')
    .description('download a data set into the cache, unless it is on this machine, and check it')
    .argument('<name>', 'a name from "espalier data"')
    .option('--data <folder>', 'look for data sets here first')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'print nothing but errors')
    // Options that the parent has too are read by the parent.
    .action((name: string, _: object, command: Command) => get(name, command.optsWithGlobals<GetOptions>()))
}

interface ListOptions {
  data?: string
  json?: boolean
}

interface GetOptions extends ListOptions {
  quiet?: boolean
}

async function list({ data, json }: ListOptions): Promise<void> {
  const datasets = await listDatasets({ dataDirectory: data })
  new Console(json === undefined ? {} : { json }).answer({ datasets }, () =>
    tableLines(
      ['name', 'samples', 'features', 'classes', 'licence', 'where'],
      datasets.map(({ name, samples, features, classes, licence, generated, files, found }) => [
        name,
        formatCount(samples),
        formatCount(features),
        formatCount(classes),
        licence,
        generated ? 'built in' : whereFound(files, found),
      ]),
    ),
  )
}

function whereFound(files: CatalogueRow['files'], found: CatalogueRow['found']): string {
  if (files.length === 0) return 'to be downloaded'
  return found === undefined ? files[0]! : `${files[0]} (${found})`
}

async function get(name: string, options: GetOptions): Promise<void> {
  const console = new Console(options)
  using interrupt = new Interrupt(console, 'stopping')
  using bar = new DownloadBar(console)
  const places = options.data === undefined ? {} : { dataDirectory: options.data }
  const { train, test } = await loadDataset(name, {
    ...places,
    signal: interrupt.signal,
    onProgress: (progress) => bar.update(progress),
  })
  const found = (await listDatasets(places)).find((row) => sameName(row.name, name))
  const files = found?.files ?? []
  const answer = {
    name: train.name,
    train: train.samples,
    test: test.samples,
    features: train.features,
    classes: train.classes,
    files,
  }
  console.answer(answer, () => [
    `${train.name}: ${formatCount(train.samples)} training and ${formatCount(test.samples)} test samples, ${formatCount(train.features)} features, ${train.classes} classes`,
    ...files,
  ])
}

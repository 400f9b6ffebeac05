import { type Command, Option } from 'commander'
import type { CompareOptions } from '../index.js'
import { whole } from './option-values.js'

/** What `compare` and `study` are both asked: where runs go, how many at a time, and how to answer. */
export interface GridOptions {
  out?: string
  data?: string
  processes?: number
  threads: number
  retryFailed: boolean
  json: boolean
  quiet: boolean
}

/** Adds them; `folder` says where runs go by default. */
export function addGridOptions(command: Command, folder: string): Command {
  return command
    .addOption(new Option('--out <folder>', `where runs, table and report go (default: ${folder})`))
    .option('--data <folder>', 'look for data sets here first')
    .addOption(
      new Option(
        '--processes <count>',
        'runs at the same time (default: as many as fit the cores)',
      ).argParser(whole(1, 256)),
    )
    .addOption(new Option('--threads <count>', 'threads of each run').argParser(whole(1, 256)).default(1))
    .addOption(new Option('--retry-failed', 'do runs again that failed before').default(false, 'no'))
    .addOption(
      new Option(
        '--json',
        'print one JSON object on the last line, and nothing else on standard output',
      ).default(false, 'no'),
    )
    .addOption(new Option('--quiet', 'print nothing but errors').default(false, 'no'))
}

/** The same as the API takes them. */
export function toCompareOptions(options: GridOptions): CompareOptions {
  return {
    threads: options.threads,
    retryFailed: options.retryFailed,
    ...(options.out === undefined ? {} : { folder: options.out }),
    ...(options.processes === undefined ? {} : { processes: options.processes }),
    ...(options.data === undefined ? {} : { dataDirectory: options.data }),
  }
}

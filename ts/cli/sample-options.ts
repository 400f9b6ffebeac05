import { type Command, Option } from 'commander'
import { addDeviceOptions } from './device-options.js'
import { whole } from './option-values.js'

/** Adds the options that say which samples a trained network is applied to. */
export function addSampleOptions(command: Command): Command {
  return addDeviceOptions(command)
    .option('--data <folder>', 'look for data sets here first')
    .option('--label <column>', 'column of the file that holds the labels (default: as in training)')
    .addOption(new Option('--part <part>', 'only this part of the data').choices(['train', 'test']))
    .option('--seed <number>', 'seed of the split into parts (default: as in training)', whole(0))
    .option('--threads <count>', 'threads to compute with (default: all of the machine)', whole(1, 256))
    .option('--json', 'print one JSON object')
    .option('--quiet', 'print nothing but errors')
}

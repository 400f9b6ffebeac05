/** The options of `espalier train`: their names, what they accept, their defaults, and which of them fit together. */
import { type Command, Option } from 'commander'
import type { ActivationName, BlockOption, RunRecord, Task } from '../index.js'
import { usage } from './console.js'
import { defaults } from './defaults.js'
import { addDeviceOptions, type DeviceOptions } from './device-options.js'
import {
  block,
  interval,
  notNegative,
  number,
  positive,
  share,
  shareBelowOne,
  whole,
  widths,
} from './option-values.js'
import { movesWhileTraining, perRule, type RewireName, rewireNames, rewireRules } from './rewire-rules.js'
import { type TopologyOptions, topologyClashes, topologyOptions } from './topology-options.js'

export type OptimizerName = 'sgd' | 'adam' | 'adamw'

export interface TrainOptions extends DeviceOptions, TopologyOptions {
  data?: string
  label?: string
  task?: Task
  hidden: number[]
  layers: 'sparse' | 'masked' | 'dense'
  sparsity: number
  block: BlockOption
  rewire: RewireName
  every?: 'epoch' | number
  fraction?: number
  until?: number
  finalSparsity: number
  activation: keyof typeof activations
  dropout: number
  dropConnect: number
  layerNorm: boolean
  epochs: number
  batch: number
  optimizer: OptimizerName
  lr?: number
  momentum: number
  weightDecay?: number
  l1: number
  schedule: 'constant' | 'step' | 'cosine' | 'one-cycle'
  warmup: number
  seed: number
  threads?: number
  maxSeconds?: number
  out?: string
  name?: string
  resume?: string
  overwrite: boolean
  tensorboard?: string
  json: boolean
  quiet: boolean
}

/** Activations by their name on the command line. */
export const activations = {
  linear: 'linear',
  relu: 'relu',
  'leaky-relu': 'leakyRelu',
  'all-relu': 'allRelu',
  srelu: 'srelu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  gelu: 'gelu',
  silu: 'silu',
} as const satisfies Record<string, ActivationName>

const perOptimizer = (values: Record<OptimizerName, number>): string =>
  `(default: ${Object.entries(values)
    .map(([name, value]) => `${value} for ${name}`)
    .join(', ')})`

/** Decide what the network is; a resumed run has them in its checkpoint. */
const networkOptions = [
  new Option('--hidden <sizes>', 'widths of the hidden layers')
    .argParser(widths)
    .default([...defaults.hidden], defaults.hidden.join(',')),
  new Option(
    '--layers <kind>',
    'what the hidden layers are: sparse; masked, which computes them as dense matrices with masks; dense',
  )
    .choices(['sparse', 'masked', 'dense'])
    .default('sparse'),
  new Option('--sparsity <share>', 'share of the weights of the sparse layers that do not exist')
    .argParser(shareBelowOne)
    .default(defaults.sparsity),
  new Option(
    '--block <shape>',
    'connections exist and move in blocks of OUTPUTSxINPUTS: 1x1, 4x1, 4x4, 8x8, any other',
  )
    .argParser(block)
    .default(defaults.block),
  ...topologyOptions,
  new Option('--activation <name>', 'what follows the weights of a hidden layer')
    .choices(Object.keys(activations))
    .default(defaults.activation),
  new Option('--dropout <rate>', 'share of the neurons of each hidden layer that is left out at random')
    .argParser(shareBelowOne)
    .default(0, 'none'),
  new Option('--drop-connect <rate>', 'share of the weights of each hidden layer that a step leaves out')
    .argParser(shareBelowOne)
    .default(0, 'none'),
  new Option('--layer-norm', 'normalise the outputs of each hidden layer').default(false, 'no'),
] as const

/** Decide how it is trained; a resumed run has them in its checkpoint, unless they are given anew. */
const trainingOptions = [
  new Option('--rewire <rule>', 'how connections move').choices(rewireNames).default(defaults.rewire),
  new Option('--every <steps>', `steps between two rewirings, or "epoch" ${perRule('every')}`).argParser(
    interval,
  ),
  new Option(
    '--fraction <share>',
    `share of the connections that move at a rewiring, at first ${perRule('fraction')}`,
  ).argParser(number('0 < number <= 1', (value) => value > 0 && value <= 1)),
  new Option('--until <share>', `share of training after which nothing moves ${perRule('until')}`).argParser(
    share,
  ),
  new Option('--final-sparsity <share>', 'what granet prunes to, from --sparsity')
    .argParser(shareBelowOne)
    .default(defaults.finalSparsity),
  new Option('--epochs <count>', 'passes over the training samples')
    .argParser(whole(1, 1_000_000))
    .default(defaults.epochs),
  new Option('--batch <samples>', 'samples in a step').argParser(whole(1, 2 ** 24)).default(defaults.batch),
  new Option('--optimizer <name>', 'how weights follow their gradients')
    .choices(['sgd', 'adam', 'adamw'])
    .default(defaults.optimizer),
  new Option('--lr <rate>', `learning rate ${perOptimizer(defaults.learningRate)}`).argParser(positive),
  new Option('--momentum <share>', 'momentum of sgd').argParser(shareBelowOne).default(defaults.momentum),
  new Option('--weight-decay <rate>', `weight decay ${perOptimizer(defaults.weightDecay)}`).argParser(
    notNegative,
  ),
  new Option('--l1 <rate>', 'L1 penalty: rate x sign of the weight, added to its gradient')
    .argParser(notNegative)
    .default(0, 'none'),
  new Option(
    '--schedule <name>',
    'course of the learning rate; step is a tenth after each third of the epochs',
  )
    .choices(['constant', 'step', 'cosine', 'one-cycle'])
    .default(defaults.schedule),
  new Option('--warmup <steps>', 'steps of linear rise before the schedule')
    .argParser(whole(0))
    .default(defaults.warmup),
  new Option('--seed <number>', 'decides every random number, and the split of a file without test samples')
    .argParser(whole(0))
    .default(defaults.seed),
] as const

/** Say where things are and what is printed; never part of what is trained. */
const otherOptions = [
  new Option('--threads <count>', 'threads to train with (default: all of the machine)').argParser(
    whole(1, 256),
  ),
  new Option(
    '--max-seconds <seconds>',
    'end after so much training; --resume goes on (default: when the epochs are over)',
  ).argParser(positive),
  new Option('--data <folder>', 'look for data sets here first'),
  new Option('--label <column>', 'column of the file that is to be learnt'),
  new Option('--task <kind>', 'what the labels of a file are: classes, or numbers to predict').choices([
    'classification',
    'regression',
  ]),
  new Option('--out <folder>', 'where checkpoint, run.json and report go (default: runs/<name>)'),
  new Option('--name <name>', 'name of the run (default: the data set and the time)'),
  new Option('--overwrite', 'replace a run that is already in --out').default(false, 'no'),
  new Option(
    '--resume <checkpoint>',
    'go on from a checkpoint with the settings in it, except those given anew',
  ),
  new Option('--tensorboard <folder>', 'write an event file for TensorBoard into this folder'),
  new Option('--json', 'print one JSON object on the last line, and nothing else on standard output').default(
    false,
    'no',
  ),
  new Option('--quiet', 'print nothing but errors').default(false, 'no'),
] as const

/** Adds all options to the command. */
export function addTrainOptions(command: Command): Command {
  for (const option of [...networkOptions, ...trainingOptions, ...otherOptions]) command.addOption(option)
  return addDeviceOptions(command)
}

const given = (command: Command, option: Option): boolean =>
  command.getOptionValueSource(option.attributeName()) === 'cli'

const flag = (command: Command, option: Option): string | null =>
  given(command, option) ? option.long! : null

/** Options of connections that not all exist. */
const sparseOnly = [
  '--sparsity',
  '--block',
  ...topologyOptions.map(({ long }) => long!),
  ...['--rewire', '--every', '--fraction', '--until', '--final-sparsity'],
]

/** An option that has no meaning beside another one is a mistake, and says so. */
export function checkTogether(command: Command, options: TrainOptions): void {
  const clash = (names: string[], reason: string): void => {
    const option = command.options.find((option) => names.includes(option.long!) && given(command, option))
    if (option !== undefined) throw usage(`option '${option.long}' ${reason}`)
  }
  if (options.optimizer !== 'sgd')
    clash(['--momentum'], `belongs to --optimizer sgd, and it is ${options.optimizer}`)
  if (options.layers === 'dense') clash(sparseOnly, 'has no effect with --layers dense')
  for (const [name, reason] of topologyClashes(options)) clash([name], reason)
  if (!movesWhileTraining(options.rewire))
    clash(['--every', '--fraction', '--until'], `has no effect with --rewire ${options.rewire}`)
  if (options.rewire !== 'granet')
    clash(['--final-sparsity'], `belongs to --rewire granet, and it is ${options.rewire}`)
  if (options.resume === undefined) return
  const fixed = networkOptions.map((option) => flag(command, option)).filter((name) => name !== null)
  clash(fixed, 'cannot be combined with --resume: the network is the one of the checkpoint')
}

/** The settings that a record keeps: whatever decides the result, by its name on the command line. */
export function settingsOf(options: SettledOptions): RunRecord['settings'] {
  const settings: RunRecord['settings'] = {}
  const unused = unusedSettings(options)
  for (const option of [...networkOptions, ...trainingOptions]) {
    const value = (options as unknown as Record<string, unknown>)[option.attributeName()]
    const name = option.long!.slice(2)
    if (unused.has(name) || value === undefined) continue
    if (typeof value === 'number' || typeof value === 'boolean') settings[name] = value
    else settings[name] = String(value)
  }
  return settings
}

/** Options with every default in its place, also those that follow from other options. */
export type SettledOptions = TrainOptions &
  Required<Pick<TrainOptions, 'lr' | 'weightDecay' | 'every' | 'fraction' | 'until'>>

/** Puts in the defaults that follow from other options, so that the record of the run names what was used. */
export function settle(options: TrainOptions): SettledOptions {
  const { optimizer } = options
  const rewire = options.layers === 'dense' ? 'static' : options.rewire
  const moves = rewireRules[rewire].defaults
  return {
    ...options,
    rewire,
    lr: options.lr ?? defaults.learningRate[optimizer],
    weightDecay: options.weightDecay ?? defaults.weightDecay[optimizer],
    every: options.every ?? moves.every,
    fraction: options.fraction ?? moves.fraction,
    until: options.until ?? moves.until,
  }
}

/** Which options were given on the command line, by their attribute names. */
export function givenOptions(command: Command): Set<string> {
  return new Set(
    command.options.filter((option) => given(command, option)).map((option) => option.attributeName()),
  )
}

const quote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** The command line that makes the run again. */
export function commandLine(dataset: string, options: SettledOptions): string {
  const words = ['espalier', 'train', dataset]
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) words.push(`--${name}`, value)
  }
  add('label', options.label)
  add('task', options.task)
  for (const [name, value] of Object.entries(settingsOf(options))) {
    if (value === false) continue
    if (value === true) words.push(`--${name}`)
    else add(name, String(value))
  }
  if (options.device !== 'auto') add('device', options.device)
  if (options.precision !== 'float32') add('precision', options.precision)
  if (options.denseFallback) words.push('--dense-fallback')
  return words.map(quote).join(' ')
}

/** Settings that the others leave without a meaning; giving them would be refused. */
function unusedSettings(options: SettledOptions): Set<string> {
  return new Set([
    ...(options.layers === 'dense' ? sparseOnly.map((name) => name.slice(2)) : []),
    ...(options.optimizer === 'sgd' ? [] : ['momentum']),
    ...topologyClashes(options).map(([name]) => name.slice(2)),
    ...(movesWhileTraining(options.rewire) ? [] : ['every', 'fraction', 'until']),
    ...(options.rewire === 'granet' ? [] : ['final-sparsity']),
  ])
}

/** Going on from a checkpoint: its settings become those of the command line, except what was given anew. */
import type { FitOptions, FitSettings, NetworkDescription } from '../index.js'
import { nameOfRule } from './rewire-rules.js'
import { topologyOptionsOf } from './topology-options.js'
import { activations, type SettledOptions, type TrainOptions } from './train-options.js'
import { fitSettings } from './train-settings.js'

/** What of a checkpoint's network the command line can say, for the record of the run. */
export function networkOptionsOf(description: NetworkDescription): Partial<TrainOptions> {
  const { layers, topology, sparsity, seed } = description
  const hidden = layers.slice(0, -1).filter((layer) => layer.type === 'sparse' || layer.type === 'dense')
  const first = hidden[0]
  const rate = layers.find((layer) => layer.type === 'dropout')?.rate ?? 0
  const activation = Object.entries(activations).find(([, type]) => type === first?.activation.type)?.[0]
  const block = first?.type === 'sparse' ? first.block : [1, 1]
  const masked = first?.type === 'sparse' && first.masked
  return {
    hidden: hidden.map(({ outputs }) => outputs),
    layers: first?.type === 'dense' ? 'dense' : masked ? 'masked' : 'sparse',
    sparsity,
    block: `${block[0]}x${block[1]}`,
    ...topologyOptionsOf(topology),
    ...(activation === undefined ? {} : { activation: activation as keyof typeof activations }),
    dropout: rate,
    dropConnect: first?.dropConnect ?? 0,
    layerNorm: layers.some(({ type }) => type === 'layerNorm'),
    seed,
  }
}

/** What of a checkpoint's training the command line can say. */
export function trainingOptionsOf(training: FitSettings): Partial<TrainOptions> {
  const { optimizer, learningRateSchedule: schedule, rewire } = training
  const schedules = {
    constant: 'constant',
    stepDecay: 'step',
    cosine: 'cosine',
    oneCycle: 'one-cycle',
  } as const
  return {
    epochs: training.epochs,
    batch: training.batchSize,
    optimizer: optimizer.type,
    lr: optimizer.learningRate,
    weightDecay: optimizer.weightDecay,
    l1: optimizer.l1,
    ...(optimizer.type === 'sgd' ? { momentum: optimizer.momentum } : {}),
    schedule: schedules[schedule.type],
    warmup: schedule.warmup,
    rewire: nameOfRule(rewire),
    ...(rewire.type === 'granet' ? { finalSparsity: rewire.finalSparsity } : {}),
    ...(rewire.type === 'static' || rewire.type === 'snip'
      ? {}
      : { every: rewire.every, fraction: rewire.fraction, until: rewire.until }),
  }
}

/**
 * What `fit` is told when it resumes: only what was given anew, since it takes all else from the checkpoint, where
 * there may be settings that the command line has no word for.
 *
 * @param options the merged options
 * @param given names of those given on the command line
 */
export function resumedFitSettings(options: SettledOptions, given: ReadonlySet<string>): Partial<FitOptions> {
  const anew = fitSettings(options)
  const any = (...names: (keyof TrainOptions)[]): boolean => names.some((name) => given.has(name))
  return {
    ...(anew.threads === undefined ? {} : { threads: anew.threads }),
    ...(any('epochs') ? { epochs: anew.epochs } : {}),
    ...(any('batch') ? { batchSize: anew.batchSize } : {}),
    ...(any('schedule', 'warmup') ? { learningRateSchedule: anew.learningRateSchedule } : {}),
    ...(any('rewire', 'every', 'fraction', 'until', 'finalSparsity') ? { rewire: anew.rewire } : {}),
  }
}

/** Options that a resumed run cannot change: the state of the optimizer belongs to them. */
export const fixedOnResume = {
  optimizer: '--optimizer',
  lr: '--lr',
  momentum: '--momentum',
  weightDecay: '--weight-decay',
  l1: '--l1',
}

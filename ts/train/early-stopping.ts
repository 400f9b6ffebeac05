import type { Dataset } from '../data/dataset.js'
import type { Watched as Metric } from '../native/surface.js'
import { impossible, object, oneOf, real, whole } from '../validation.js'
import { isStream, type SampleStream } from './stream.js'

export type { Metric }

/** When a run ends because it gets no better. */
export interface EarlyStoppingOptions {
  /** Epochs in a row without a better one after which the run ends, >= 1. */
  patience: number
  /** What is watched. Default null: 'validationLoss' with a validation set, else 'trainLoss'. */
  metric?: Metric | null
  /** By how much an epoch must be better than the best so far, >= 0. Default 0: by anything. */
  minimumChange?: number
}

/** The same with defaults. */
export interface EarlyStopping {
  readonly patience: number
  readonly metric: Metric | null
  readonly minimumChange: number
}

export const watchedSchema = oneOf(['trainLoss', 'trainAccuracy', 'validationLoss', 'validationAccuracy'])

export const earlyStoppingSchema = object({
  patience: whole({ from: 1, to: 1e6 }),
  metric: watchedSchema.nullable().default(null),
  minimumChange: real({ from: 0 }).default(0),
})

/**
 * What a run watches.
 *
 * @throws ERR_ESPALIER_OPTION where the data sets do not tell it
 */
export function watchedBy(
  earlyStopping: EarlyStopping | null,
  train: Dataset | SampleStream,
  validation: Dataset | undefined,
): Metric {
  const metric = earlyStopping?.metric ?? (validation === undefined ? 'trainLoss' : 'validationLoss')
  const measured = metric.startsWith('validation') ? validation : train
  const refuse = (reason: string) => impossible('fit', 'earlyStopping.metric', metric, reason)
  if (measured === undefined) throw refuse('there is no validation set; allowed: trainLoss, trainAccuracy')
  // What a stream brings is not known yet.
  if (metric.endsWith('Accuracy') && !isStream(measured) && measured.labels === undefined) {
    throw refuse('the samples have no labels, which accuracy needs; allowed: trainLoss, validationLoss')
  }
  return metric
}

import type { Dataset } from '../data/dataset.js'
import type { NetworkDescription } from '../model/description.js'
import type { NativeData } from '../native/surface.js'
import { watchedBy } from './early-stopping.js'
import {
  type FitOptions,
  type FitRequest,
  type FitSettings,
  readFitOptions,
  toNativeSettings,
} from './options.js'
import { toNativeData } from './samples.js'
import { Feeder, isStream, readStream, type SampleStream, toNativeStream } from './stream.js'
import type { Training } from './training.js'

/** A run with its options and data checked, and nothing begun. */
export interface PreparedRun {
  readonly request: FitRequest
  /** Of an epoch. */
  readonly samples: number
  readonly training: Pick<Training, 'train' | 'feeder' | 'validation' | 'settings' | 'signal' | 'checkpoint'>
}

/**
 * Checks what `fit` was given.
 *
 * @param last settings of the network's last run, null before the first
 * @param feed gives samples of a stream to the run
 * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA
 */
export function prepareRun(
  train: Dataset | SampleStream,
  options: FitOptions,
  description: NetworkDescription,
  last: FitSettings | null,
  feed: (samples: NativeData) => number,
): PreparedRun {
  const hasSparse = description.layers.some((layer) => layer.type === 'sparse')
  const request = readFitOptions(options, last, hasSparse)
  const { settings, validation, signal, checkpoint } = request
  const stream = isStream(train) ? readStream(train, description) : null
  const samples = stream
    ? toNativeStream(stream)
    : toNativeData('fit: train', train, description, true, 'a Dataset, or a SampleStream')
  const validated =
    validation === undefined ? null : toNativeData('fit: validation', validation, description, true)
  const watched = watchedBy(settings.earlyStopping, train, options.validation)
  return {
    request,
    samples: stream?.samplesPerEpoch ?? (train as Dataset).samples,
    training: {
      train: samples,
      feeder: stream && new Feeder(stream, description, settings.epochs, feed),
      validation: validated,
      settings: toNativeSettings(request, watched),
      signal,
      checkpoint,
    },
  }
}

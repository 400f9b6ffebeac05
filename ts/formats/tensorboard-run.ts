import { fanCounts } from '../analysis/fan.js'
import type { Network } from '../model/network.js'
import { layerPatterns } from '../model/pattern.js'
import type { EpochEvent, Metrics, RunEvent } from '../train/events.js'
import { flag, object, parse } from '../validation.js'
import { layerMatrix } from './sparse-matrix.js'
import { TensorBoardWriter } from './tensorboard.js'

/** Options of `recordTensorBoard`. */
export interface TensorBoardOptions {
  /** Write histograms of weights and fan-in of every sparse layer after each epoch. Default true. */
  histograms?: boolean
}

const boardOptions = object({ histograms: flag().default(true) })

/**
 * Follows a run and writes an event file for TensorBoard: loss and accuracy (`/train`, `/validation`), learning rate,
 * samples a second and seconds spent in rewiring for every epoch, and histograms of weights and fan-in of every sparse
 * layer at the start, after each epoch and at the end. x is the step. Training goes on meanwhile: a histogram may be
 * some steps past the end of its epoch, at the step that it says.
 *
 * ```ts
 * const run = network.fit(train, { validation: test })
 * const [result, events] = await Promise.all([run, recordTensorBoard(run, network, 'logs/first')])
 * ```
 *
 * @param run what `fit` of the network returned; iterated here, which does not disturb other readers
 * @param folder of this run, made where it is not there
 * @returns the path of the event file; rejects as the run does, the file whole up to there
 * @throws ERR_ESPALIER_FILE when the operating system refuses the file, ERR_ESPALIER_OPTION
 */
export async function recordTensorBoard(
  run: AsyncIterable<RunEvent>,
  network: Network,
  folder: string,
  options: TensorBoardOptions = {},
): Promise<string> {
  const { histograms } = parse('recordTensorBoard', boardOptions, options)
  // Read from now on, so that a run that fails at once is not one that nobody listens to.
  const events = run[Symbol.asyncIterator]()
  const writer = await TensorBoardWriter.open(folder).catch(async (cause) => {
    await events.return?.()
    throw cause
  })
  let looked = -1
  const look = async () => {
    if (!histograms) return
    const snapshot = await network.snapshot()
    const { step } = snapshot.counters
    if (step === looked) return
    looked = step
    for (const [index, pattern] of layerPatterns(snapshot).entries()) {
      if (pattern === null) continue
      await writer.histogram(step, `layers.${index}/weights`, layerMatrix(snapshot, index).values)
      await writer.histogram(step, `layers.${index}/fan-in`, fanCounts(pattern).fanIn)
    }
  }
  try {
    await look()
    for await (const event of { [Symbol.asyncIterator]: () => events }) {
      if (event.type === 'epoch') await writer.scalars(event.step, epochScalars(event))
      if (event.type === 'epoch' || event.type === 'end') await look()
    }
  } finally {
    await writer.close()
  }
  return writer.path
}

function epochScalars(event: EpochEvent): Record<string, number> {
  const scalars: Record<string, number> = {
    learning_rate: event.learningRate,
    samples_per_second: event.samplesPerSecond,
    rewire_seconds: event.rewireSeconds,
  }
  const add = (part: string, { loss, accuracy }: Metrics) => {
    scalars[`loss/${part}`] = loss
    if (accuracy !== null) scalars[`accuracy/${part}`] = accuracy
  }
  add('train', event.train)
  if (event.validation !== null) add('validation', event.validation)
  return scalars
}

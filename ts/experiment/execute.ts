/** One run of a study, from loading its data to its record. Runs in a process of its own. */
import { Network } from '../model/network.js'
import type { NetworkStats } from '../model/stats.js'
import { describeMachine, peakMemoryMB } from '../native/machine.js'
import type { EpochEvent, Metrics, RunResult } from '../train/events.js'
import type { Job, JobSettings } from './grid.js'
import { keptSamples } from './kept-samples.js'
import type { MeasureWatch } from './measures/measure.js'
import { watch } from './measures/registry.js'
import { networkFor } from './network.js'
import type { Json, PreparedRun } from './preparations/preparation.js'
import { prepare } from './preparations/registry.js'
import type { CompareEpoch, FinishedRun } from './run-file.js'

/**
 * Does a run.
 *
 * @param onEpoch called with the number of each epoch that is done
 * @throws whatever ends the run, such as ERR_ESPALIER_DIVERGED
 */
export async function execute(
  job: Job,
  { threads, places, samples }: JobSettings,
  onEpoch: (epoch: number) => void,
): Promise<FinishedRun> {
  const started = performance.now()
  const startedAt = new Date().toISOString()
  const { method, dataset, dataSeed, sparsity, seed } = job
  const data = await keptSamples(samples, dataset, dataSeed, places)
  const loaded = performance.now()
  const prepared = await prepare(
    { data, network: networkFor(method.network, data.train, sparsity, seed), fit: method.fit, notes: {} },
    method.prepare,
    { sparsity, seed, threads },
  )
  const prepareSeconds = method.prepare.length === 0 ? 0 : (performance.now() - loaded) / 1000
  using network = new Network(prepared.network)
  const watches = job.measures.map((measure): [string, MeasureWatch] => [
    measure.type,
    watch(measure, { network, data: prepared.data, epochs: prepared.fit.epochs, threads }),
  ])
  for (const [, watcher] of watches) await watcher.start?.()
  const { history, result } = await follow(network, prepared, threads, watches, onEpoch)
  const measures: Record<string, Json> = {}
  for (const [type, watcher] of watches) measures[type] = await watcher.end()
  const { train, test } = prepared.data
  const layers = network.summary()
  return {
    format: 'espalier-compare-run',
    version: 1,
    status: 'finished',
    job,
    started: startedAt,
    data: { train: train.samples, test: test.samples, features: train.features, classes: train.classes },
    result: {
      ...trainedNumbers(result, history),
      ...networkNumbers(network),
      trainingFlops: sum(history, ({ connections }) => 6 * connections * train.samples),
      prepareSeconds,
      wallSeconds: (performance.now() - started) / 1000,
      peakMemoryMB: peakMemoryMB(),
    },
    history,
    layers,
    notes: prepared.notes,
    measures,
    machine: describeMachine(threads, network.placement),
  }
}

/** Trains, and tells the measures what happens. */
async function follow(
  network: Network,
  { data, fit }: PreparedRun,
  threads: number,
  watches: readonly [string, MeasureWatch][],
  onEpoch: (epoch: number) => void,
): Promise<{ history: CompareEpoch[]; result: RunResult<Metrics> }> {
  const history: CompareEpoch[] = []
  const run = network.fit(data.train, { ...fit, validation: data.test, threads })
  for await (const event of run) {
    if (event.type === 'rewire') for (const [, watcher] of watches) await watcher.rewired?.(event)
    if (event.type !== 'epoch') continue
    history.push(epochRecord(event, network.stats()))
    for (const [, watcher] of watches) await watcher.epoch?.(event)
    onEpoch(event.epoch)
  }
  return { history, result: await run }
}

function epochRecord(event: EpochEvent<Metrics>, { connections }: NetworkStats): CompareEpoch {
  const { epoch, train, validation, learningRate, seconds, samplesPerSecond, rewireSeconds } = event
  return {
    epoch,
    train,
    test: validation,
    learningRate,
    seconds,
    samplesPerSecond,
    rewireSeconds,
    connections,
  }
}

function trainedNumbers(
  {
    validation,
    trainAccuracy,
    trainLoss,
    epochs,
    steps,
    samplesPerSecond,
    rewireSeconds,
  }: RunResult<Metrics>,
  history: readonly CompareEpoch[],
) {
  const better = ({ test: a }: CompareEpoch, { test: b }: CompareEpoch): boolean =>
    a.accuracy === null || b.accuracy === null ? a.loss < b.loss : a.accuracy > b.accuracy
  const best = history.reduce((best, epoch) => (better(epoch, best) ? epoch : best))
  return {
    accuracy: validation!.accuracy,
    loss: validation!.loss,
    trainAccuracy,
    trainLoss: trainLoss!,
    best: { epoch: best.epoch, ...best.test },
    epochs,
    steps,
    seconds: sum(history, ({ seconds }) => seconds),
    samplesPerSecond,
    rewireSeconds,
  }
}

function networkNumbers(network: Network) {
  const { connections, parameters, sparsity, bytes } = network.stats()
  return { connections, parameters, sparsity, inferenceFlops: 2 * connections, networkBytes: bytes.total }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}

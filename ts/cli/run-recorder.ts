import type {
  EpochRecord,
  LayerRecord,
  LoadedSplit,
  Network,
  RewiringRecord,
  RunEvent,
  RunRecord,
  RunResult,
} from '../index.js'
import { EspalierError, fanCounts, layerPatterns, peakMemoryMB } from '../index.js'
import { commandLine, type SettledOptions, settingsOf } from './train-options.js'

/** What is known of a run before it starts. */
export interface RunStart {
  name: string
  /** The data set as named on the command line. */
  source: string
  options: SettledOptions
  machine: RunRecord['machine']
  started: Date
  /** `performance.now()` of the same moment: the clock on the wall may jump meanwhile. */
  clock: number
  network: Network
  split: LoadedSplit
  /** The record that this run goes on with, or null. */
  earlier: RunRecord | null
}

/** Collects the events of a run and makes its record, also of a run that fails half way. */
export class RunRecorder {
  readonly #start: RunStart
  readonly #history: EpochRecord[]
  readonly #rewirings: RewiringRecord[]

  constructor(start: RunStart) {
    this.#start = start
    // What an earlier run did after its checkpoint was written is done again, so only the part before it counts.
    const { epochs, steps } = start.network.progress
    this.#history = start.earlier?.history.filter(({ epoch }) => epoch <= epochs) ?? []
    this.#rewirings = start.earlier?.rewirings.filter(({ step }) => step <= steps) ?? []
  }

  handle(event: RunEvent): void {
    if (event.type === 'epoch') {
      const { type, ...epoch } = event
      this.#history.push(epoch)
    }
    if (event.type === 'rewire') {
      const { type, layers, ...rewiring } = event
      this.#rewirings.push({ ...rewiring, layers: [...layers] })
    }
  }

  /** @param end what the run resolved to, or the error that it rejected with */
  async finish(end: RunResult | { error: unknown }): Promise<RunRecord> {
    const { name, source, options, machine, started, clock, network, split } = this.#start
    const { train, test } = split
    const layers = await layerRecords(network)
    const { sparsity, connections, parameters } = network.stats()
    const last = this.#history.at(-1)
    const total = (pick: (epoch: EpochRecord) => number): number =>
      this.#history.reduce((sum, epoch) => sum + pick(epoch), 0)
    const trained = total(({ seconds }) => seconds)
    const failed = 'error' in end
    return {
      format: 'espalier-run',
      version: 1,
      name,
      started: started.toISOString(),
      command: commandLine(source, options),
      machine,
      dataset: {
        source,
        label: options.label ?? null,
        task: options.task ?? null,
        seed: options.seed,
        name: train.name,
        trainSamples: train.samples,
        testSamples: test.samples,
        features: train.features,
        classes: train.classes,
        classNames: train.classNames ? [...train.classNames] : null,
        imageShape: train.imageShape ? [train.imageShape[0], train.imageShape[1]] : null,
        featureNames: train.featureNames ? [...train.featureNames] : null,
        firstIndex: train.firstIndex ?? null,
        scaling: split.scaling
          ? { ...split.scaling, offsets: [...split.scaling.offsets], factors: [...split.scaling.factors] }
          : null,
      },
      settings: settingsOf(options),
      result: {
        reason: failed ? 'failed' : end.reason,
        error: failed ? describeError(end.error) : null,
        testAccuracy: last?.validation?.accuracy ?? null,
        testLoss: last?.validation?.loss ?? null,
        trainAccuracy: last?.train.accuracy ?? null,
        trainLoss: last?.train.loss ?? null,
        sparsity,
        connections,
        parameters,
        epochs: network.progress.epochs,
        steps: network.progress.steps,
        seconds: trained,
        wallSeconds: (performance.now() - clock) / 1000,
        samplesPerSecond:
          trained > 0 ? total(({ seconds, samplesPerSecond }) => seconds * samplesPerSecond) / trained : 0,
        rewireSeconds: total(({ rewireSeconds }) => rewireSeconds),
        peakMemoryMB: peakMemoryMB(),
      },
      history: this.#history,
      rewirings: this.#rewirings,
      layers,
    }
  }
}

/** Each layer in numbers, with the fan-in and fan-out of the sparse ones. */
export async function layerRecords(network: Network): Promise<LayerRecord[]> {
  const patterns = layerPatterns(await network.snapshot())
  return network.summary().map((layer, index) => {
    const pattern = patterns[index] ?? null
    return { ...layer, ...(pattern === null ? { fanIn: null, fanOut: null } : fanCounts(pattern)) }
  })
}

function describeError(error: unknown): { code: string; message: string } {
  const code = error instanceof EspalierError ? error.code : 'ERR_ESPALIER_INTERNAL'
  return { code, message: error instanceof Error ? error.message : String(error) }
}

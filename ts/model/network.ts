import type { Dataset } from '../data/dataset.js'
import { EspalierError } from '../errors.js'
import { readCheckpoint, writeCheckpoint } from '../formats/checkpoint.js'
import { addon, fromNative, guarded } from '../native/loader.js'
import type {
  NativeData,
  NativeLayerSummary,
  NativeMemory,
  NativeNetwork,
  NativePlan,
  NativeState,
} from '../native/surface.js'
import { chooseDevice } from '../native/system.js'
import { Following } from '../observe/follow.js'
import { traced, traceRun } from '../observe/trace.js'
import type { Metrics } from '../train/events.js'
import { type FitOptions, type FitSettings, threadsSchema } from '../train/options.js'
import { prepareRun } from '../train/prepare.js'
import { Run } from '../train/run.js'
import { toNativeData, toNativeRows } from '../train/samples.js'
import type { SampleStream } from '../train/stream.js'
import { startTraining } from '../train/training.js'
import { object, parse, readPath } from '../validation.js'
import {
  type NetworkDescription,
  type NetworkOptions,
  readNetworkOptions,
  toNativeDescription,
} from './description.js'
import { checkLoss, checkOutputs } from './finite.js'
import {
  firstSamples,
  type GradientOptions,
  type LayerGradients,
  layerGradients,
  readGradientOptions,
} from './gradients.js'
import { type LayerPattern, patternOf } from './pattern.js'
import { type Placement, type PlacementOptions, readPlacement } from './placement.js'
import { checkSnapshot, type NetworkSnapshot, type Progress } from './snapshot.js'
import { exploredShare, type NetworkStats, statsOf } from './stats.js'

/** Options of `evaluate` and `predict`. */
export interface ThreadOptions {
  /** 1 to 256. Default: as many as the machine runs at once. */
  threads?: number
}

const predictable = 'a Dataset, or a Float32Array of samples x inputs'
const threadOptions = object({ threads: threadsSchema })

/**
 * A neural network of sparse and dense layers. Its weights, and everything that training adds to them, live outside
 * the JavaScript heap; `dispose()` frees them at once, and garbage collection does so otherwise.
 */
export class Network {
  /** What it was made of. */
  readonly description: NetworkDescription
  /** Where and how it was asked to compute; `plan()` says what became of that. */
  readonly placement: Placement
  readonly #native: NativeNetwork
  #training: FitSettings | null = null
  #progress: Progress = { epochs: 0, steps: 0, rewirings: 0 }
  #fitting = false
  #disposed = false
  /** Calls under way that still need the addon's object. */
  #calls = 0

  /**
   * Lays the connections and draws the weights.
   *
   * @param blank internal, for `load`: lays as few connections as can be, for a snapshot to replace
   * @throws ERR_ESPALIER_OPTION for options that are misspelt, out of range or impossible together,
   * ERR_ESPALIER_MEMORY when it does not fit in memory, ERR_ESPALIER_DEVICE with the reason when the device is 'cuda'
   * and no GPU is usable, ERR_ESPALIER_NATIVE when the addon cannot be loaded
   */
  constructor(options: NetworkOptions, blank = false) {
    const { description, placement, patterns } = readNetworkOptions('new Network', options, !blank)
    this.description = description
    this.placement = placement
    const native = toNativeDescription(description, patterns)
    this.#native = guarded(() => new (addon().Network)(native, placement, blank))
  }

  /**
   * Reads a network that `save` or a checkpoint wrote, on whatever device; `fit` with `resume: true` goes on where it
   * stopped.
   *
   * @param options where it computes from now on
   * @throws ERR_ESPALIER_FORMAT naming file and offset, ERR_ESPALIER_NOT_FOUND, ERR_ESPALIER_FILE, ERR_ESPALIER_OPTION,
   * ERR_ESPALIER_DEVICE
   */
  static load(path: string, options: PlacementOptions = {}): Promise<Network> {
    return traced('espalier.load', { 'espalier.path': path }, () => Network.#load(path, options))
  }

  static async #load(path: string, options: PlacementOptions): Promise<Network> {
    const file = readPath('Network.load', path)
    const placement = readPlacement('Network.load', options)
    const snapshot = await readCheckpoint(file)
    const network = new Network({ ...snapshot.description, ...placement }, true)
    try {
      network.#become(snapshot)
    } catch (cause) {
      const { code, message } = cause as EspalierError
      if (code === 'ERR_ESPALIER_MEMORY') throw cause
      throw new EspalierError('ERR_ESPALIER_FORMAT', `${file}: ${message}`, { cause })
    }
    return network
  }

  /**
   * A network as it was when a snapshot was taken, on whatever device; the snapshot may come from another thread.
   *
   * @param options where it computes
   * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA where the tensors are not those of such a network,
   * ERR_ESPALIER_MEMORY, ERR_ESPALIER_DEVICE
   */
  static restore(snapshot: NetworkSnapshot, options: PlacementOptions = {}): Network {
    checkSnapshot('Network.restore', snapshot)
    const placement = readPlacement('Network.restore', options)
    const network = new Network({ ...snapshot.description, ...placement }, true)
    network.#become(snapshot)
    return network
  }

  /** How far training has come. */
  get progress(): Progress {
    return this.#progress
  }

  /**
   * Starts training and returns at once. Training runs on threads of its own; the event loop and libuv's pool stay
   * free. The run is awaitable for its result and async-iterable for its events.
   *
   * The data set is read while the run lasts: values on a SharedArrayBuffer (as the readers of Espalier allocate
   * them) in place, others as a copy. A stream is asked for samples as they are used.
   *
   * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA and ERR_ESPALIER_STATE at once. The run rejects with
   * ERR_ESPALIER_DIVERGED when the loss is no longer finite, ERR_ESPALIER_DATA for NaN or Infinity in the data, and
   * ERR_ESPALIER_FILE when a checkpoint could not be written. The network keeps what it has learnt, except after
   * ERR_ESPALIER_DIVERGED: its weights may be NaN or Infinity by then, so go back to a checkpoint. On a GPU also with
   * ERR_ESPALIER_MEMORY when the network or its batch does not fit, and ERR_ESPALIER_DEVICE when the GPU is lost: the
   * network then is as it was at the last snapshot, checkpoint or `save`, or else at the start of the run.
   */
  fit(train: Dataset | SampleStream, options: FitOptions & { validation: Dataset }): Run<Metrics>
  fit(train: Dataset | SampleStream, options?: FitOptions): Run
  fit(train: Dataset | SampleStream, options: FitOptions = {}): Run {
    this.#ready('fit', true)
    const feed = (samples: NativeData) => guarded(() => this.#native.feed(samples))
    const { request, samples, training } = prepareRun(train, options, this.description, this.#training, feed)
    const previous = { training: this.#training, progress: this.#progress }
    const following = new Following()
    const { placement } = this
    const task = startTraining({
      ...training,
      native: this.#native,
      toSnapshot: (state) => this.#snapshotOf(state, request.settings),
      take: () => this.#takeSnapshot(),
      write: following.writing(writeCheckpoint),
      before: this.#progress,
      onStart: () => {
        this.#training = request.settings
        if (!request.resume) this.#progress = { epochs: 0, steps: 0, rewirings: 0 }
      },
      onRefused: () => {
        this.#training = previous.training
        this.#progress = previous.progress
      },
      onProgress: (change) => {
        this.#progress = { ...this.#progress, ...change }
      },
    })
    this.#fitting = true
    this.#calls++
    following.begin([traceRun, ...request.observers], {
      description: this.description,
      settings: request.settings,
      threads: request.threads,
      get device() {
        return chooseDevice(placement.device)
      },
      samples,
      validationSamples: training.validation?.samples ?? 0,
      before: this.#progress,
      stats: () => this.#stats(),
    })
    const untilDone: typeof task = (emit) =>
      following.follow(task, emit).finally(() => {
        this.#fitting = false
        this.#callDone()
      })
    return new Run(untilDone, {
      pause: () => this.#native.pause(),
      resume: () => this.#native.resume(),
      snapshot: () => this.snapshot(),
    })
  }

  /**
   * Loss and accuracy over a data set.
   *
   * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA, ERR_ESPALIER_STATE (also while a fit runs); ERR_ESPALIER_DIVERGED
   * when the loss is not finite
   */
  evaluate(dataset: Dataset, options: ThreadOptions = {}): Promise<Metrics> {
    return traced('espalier.evaluate', {}, async (span) => {
      this.#ready('evaluate', true)
      const { threads } = parse('evaluate', threadOptions, options)
      const data = toNativeData('evaluate: dataset', dataset, this.description, true)
      span.setAttribute('espalier.samples', data.samples)
      const metrics = await this.#call(() => this.#native.evaluate(data, threads))
      checkLoss(metrics.loss)
      return metrics
    })
  }

  /**
   * What the network says about each sample: probabilities for the two cross-entropies, plain outputs for squared
   * error.
   *
   * @param input a Dataset, whose labels are not looked at, or samples x inputs values, row-major
   * @returns samples x outputs, row-major
   * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA, ERR_ESPALIER_STATE (also while a fit runs); ERR_ESPALIER_DIVERGED
   * when an output is not finite
   */
  predict(input: Dataset | Float32Array, options: ThreadOptions = {}): Promise<Float32Array> {
    return traced('espalier.predict', {}, async (span) => {
      this.#ready('predict', true)
      const { threads } = parse('predict', threadOptions, options)
      const data =
        input instanceof Float32Array
          ? toNativeRows('predict', input, this.description.inputs)
          : toNativeData('predict: input', input, this.description, false, predictable)
      span.setAttribute('espalier.samples', data.samples)
      const outputs = await this.#call(() => this.#native.predict(data, threads))
      checkOutputs(outputs, data.samples)
      return outputs
    })
  }

  /**
   * Gradients of the mean loss by every connection and bias that exists, of each sparse and dense layer; nothing of the
   * network changes. The batches are taken in the order of the data set.
   *
   * They belong to the loss that `evaluate` gives: dropout and DropConnect are off, so that they follow from the data
   * alone, which is not quite what training sees in a network with them. Weight decay and L1 are no part of them.
   * `gradientConcentration` tells where they gather.
   *
   * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA, ERR_ESPALIER_STATE (also while a fit runs); ERR_ESPALIER_DIVERGED
   * when the loss is not finite
   */
  async gradients(dataset: Dataset, options: GradientOptions = {}): Promise<LayerGradients[]> {
    this.#ready('gradients', true)
    const { samples, batchSize, threads } = readGradientOptions(options)
    const all = toNativeData('gradients: dataset', dataset, this.description, true)
    const data = firstSamples(all, samples)
    const found = await this.#call(() => this.#native.gradients(data, batchSize, threads))
    return layerGradients(this.description, found)
  }

  /**
   * Saves everything to a safetensors file, whole or not at all; possible while a fit runs, between two steps.
   *
   * @throws ERR_ESPALIER_FILE with the reason; a file that was there stays as it was
   */
  save(path: string): Promise<void> {
    return traced('espalier.save', { 'espalier.path': path }, async () => {
      this.#ready('save', false)
      const file = readPath('save', path)
      await writeCheckpoint(file, await this.#takeSnapshot())
    })
  }

  /** A consistent copy of everything; possible while a fit runs, between two steps. @throws ERR_ESPALIER_STATE */
  async snapshot(): Promise<NetworkSnapshot> {
    this.#ready('snapshot', false)
    return this.#takeSnapshot()
  }

  /**
   * Which connections of a sparse layer exist; possible while a fit runs.
   *
   * @param layerIndex index in `layers`
   * @throws ERR_ESPALIER_OPTION when that layer is not sparse
   */
  async pattern(layerIndex: number): Promise<LayerPattern> {
    this.#ready('pattern', false)
    return patternOf(await this.#takeSnapshot(), layerIndex)
  }

  /** Sizes, connections and sparsity of each layer. @throws ERR_ESPALIER_STATE */
  summary(): NativeLayerSummary[] {
    this.#ready('summary', false)
    return guarded(() => this.#native.summary())
  }

  /**
   * R_s: the share of the positions of all sparse layers that ever had a connection (Liu et al., 2021); null unless the
   * last run had a rule with `trackExploration`.
   *
   * @throws ERR_ESPALIER_STATE
   */
  exploration(): number | null {
    return exploredShare(this.summary())
  }

  /** Bytes held now, by use. @throws ERR_ESPALIER_STATE */
  memory(): NativeMemory {
    this.#ready('memory', false)
    return guarded(() => this.#native.memory())
  }

  /**
   * How the device of the call under way, else of the last one, carries out the products: for each layer and product the
   * way that it chose, and what it timed. Settled by the first step of `fit`. `device` is null and `products` is empty
   * before the first call that computes; `products` is empty on the processor, which has one way for each.
   *
   * @throws ERR_ESPALIER_STATE
   */
  plan(): NativePlan {
    this.#ready('plan', false)
    return guarded(() => this.#native.plan())
  }

  /**
   * What the network is and holds now, in one plain object: bytes by kind, connections, sparsity, plan, progress.
   *
   * @throws ERR_ESPALIER_STATE
   */
  stats(): NetworkStats {
    this.#ready('stats', false)
    return this.#stats()
  }

  /**
   * Frees the network; every later call is ERR_ESPALIER_STATE. A fit that runs is stopped and resolves as cancelled,
   * and other calls under way finish first. Calling it again does nothing.
   */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    if (this.#fitting) this.#native.cancel()
    if (this.#calls === 0) this.#native.dispose()
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Takes over all of a snapshot, or disposes itself. */
  #become(snapshot: NetworkSnapshot): void {
    const { tensors, counters: progress, optimizer } = snapshot
    try {
      this.#native.restore({ tensors, progress, optimizer })
    } catch (cause) {
      this.dispose()
      throw fromNative(cause)
    }
    this.#progress = { epochs: progress.epoch, steps: progress.step, rewirings: progress.rewirings }
    this.#training = snapshot.training
  }

  #ready(call: string, alone: boolean): void {
    if (this.#disposed) throw new EspalierError('ERR_ESPALIER_STATE', `${call}: the network was disposed`)
    if (alone && this.#fitting) {
      const advice = 'await the run, or abort its signal, first'
      throw new EspalierError('ERR_ESPALIER_STATE', `${call}: a fit of this network is running; ${advice}`)
    }
  }

  /** Also after `dispose`, while a run that it stops still needs the addon's object. */
  #stats(): NetworkStats {
    const native = this.#native
    const known = { progress: this.progress, training: this.#fitting }
    return guarded(() => ({ ...statsOf(native.summary(), native.memory()), plan: native.plan(), ...known }))
  }

  async #takeSnapshot(): Promise<NetworkSnapshot> {
    const training = this.#training
    return this.#snapshotOf(await this.#call(() => this.#native.snapshot()), training)
  }

  #snapshotOf({ tensors, progress, optimizer }: NativeState, training: FitSettings | null): NetworkSnapshot {
    return { description: this.description, tensors, counters: progress, optimizer, training }
  }

  /** Keeps the addon's object alive until the call is done, even when `dispose` comes in between. */
  async #call<T>(start: () => Promise<T>): Promise<T> {
    this.#calls++
    try {
      return await start()
    } catch (cause) {
      throw fromNative(cause)
    } finally {
      this.#callDone()
    }
  }

  #callDone(): void {
    this.#calls--
    if (this.#disposed && this.#calls === 0) this.#native.dispose()
  }
}

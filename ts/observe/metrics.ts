import { z } from 'zod'
import { EspalierError } from '../errors.js'
import type { NetworkStats } from '../model/stats.js'
import { usage } from '../native/system.js'
import type { EpochEvent, RunEvent } from '../train/events.js'
import { instance, object, parse, show, text } from '../validation.js'
import { movedBy } from './logger.js'
import type { MetricConfiguration, MetricLabels, MetricsClient } from './metrics-client.js'
import type { ObservedRun, RunListener, RunObserver, RunOutcome, WrittenCheckpoint } from './observer.js'

/** Options of `runMetrics`. */
export interface RunMetricsOptions<Registry = unknown> {
  /** Goes before every name. Default 'espalier_'. */
  prefix?: string
  /** Where the metrics are kept. Default: the client's own registry. */
  registry?: Registry
  /**
   * Names of labels that runs are told apart by. Each set of values is a time series that stays in the registry: take users
   * or models, of which there are few, and not runs. Default: none.
   */
  labels?: readonly string[]
}

const isClient = (value: unknown): value is MetricsClient =>
  typeof value === 'object' &&
  value !== null &&
  'Counter' in value &&
  'Gauge' in value &&
  'Histogram' in value

const clientSchema = object({ client: instance(isClient, 'the module prom-client') })

const optionsSchema = object({
  prefix: z.string({ error: 'a text' }).default('espalier_'),
  registry: z.unknown().optional(),
  labels: z.array(text('a name'), { error: 'a list of names' }).default([]),
})

/** Seconds, from a step of a small network to an hour. */
const buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1200, 3600]

/**
 * Metrics of training for Prometheus, kept by prom-client (15 or newer; install it yourself). Make them once for each
 * registry, and give what they return to as many runs as there are, also at once:
 *
 * ```ts
 * import { dense, digits, Network, runMetrics, sparse } from 'espalier'
 * import client from 'prom-client'
 *
 * const metrics = runMetrics(client, { labels: ['user'] })
 * const { train } = digits()
 * const network = new Network({ inputs: train.features, layers: [sparse(128), dense(10)] })
 * await network.fit(train, { epochs: 2, observe: metrics({ user: 'ada' }) })
 * console.log(await client.register.metrics())
 * ```
 *
 * | metric | |
 * |---|---|
 * | `running` | gauge: runs under way |
 * | `training_bytes` | gauge: bytes outside the JavaScript heap that networks hold while they train |
 * | `native_bytes`, `waiting` | gauges without labels, of the whole process: what `usage()` says of bytes and waiting calls |
 * | `runs_total{reason}` | counter: runs that ended, by their reason or `failed` |
 * | `epochs_total`, `steps_total`, `samples_total` | counters: of training |
 * | `rewirings_total`, `moved_connections_total` | counters |
 * | `train_seconds_total`, `rewire_seconds_total` | counters: of completed epochs; rewiring is not part of the first |
 * | `epoch_seconds`, `checkpoint_seconds`, `run_seconds` | histograms: an epoch's training, writing a file, a whole run |
 * | `train_loss`, `train_accuracy`, `validation_loss`, `validation_accuracy` | gauges: of the last epoch |
 *
 * @returns a function that takes the values of the labels, every one, and gives an observer for `fit`'s `observe`
 * @throws ERR_ESPALIER_OPTION; what the client throws, for example where the registry has metrics of these names already
 */
export function runMetrics<Registry>(
  client: MetricsClient<Registry>,
  options: RunMetricsOptions<Registry> = {},
): (labels?: MetricLabels) => RunObserver {
  parse('runMetrics', clientSchema, { client })
  const checked = parse('runMetrics', optionsSchema, options)
  const metrics = makeMetrics(client, { ...checked, registry: options.registry })
  const names = checked.labels
  return (labels = {}) => {
    const given = Object.keys(labels)
    if (given.length !== names.length || !names.every((name) => typeof labels[name] === 'string')) {
      const allowed = names.length === 0 ? 'none' : `a text for each of ${names.join(', ')}`
      const what =
        given.length === 0 ? 'none' : given.map((name) => `${name}: ${show(labels[name])}`).join(', ')
      throw new EspalierError('ERR_ESPALIER_OPTION', `runMetrics: labels are ${what}; allowed: ${allowed}`)
    }
    return (run) => new RunMeter(metrics, labels, run)
  }
}

type Metrics = ReturnType<typeof makeMetrics>
type CheckedOptions = Omit<z.output<typeof optionsSchema>, 'registry'>

function makeMetrics<Registry>(
  client: MetricsClient<Registry>,
  { prefix, registry, labels }: CheckedOptions & { registry: Registry | undefined },
) {
  const configure = (name: string, help: string, more: string[] = []): MetricConfiguration<Registry> => ({
    name: `${prefix}${name}`,
    help,
    labelNames: [...labels, ...more],
    ...(registry === undefined ? {} : { registers: [registry] }),
  })
  const counter = (...about: Parameters<typeof configure>) => new client.Counter(configure(...about))
  const gauge = (name: string, help: string) => new client.Gauge(configure(name, help))
  const histogram = (name: string, help: string) =>
    new client.Histogram({ ...configure(name, help), buckets })
  const ofProcess = (name: string, help: string, read: () => number) => {
    const about = { ...configure(name, help), labelNames: [], collect: () => it.set({}, read()) }
    const it = new client.Gauge(about)
  }
  ofProcess('native_bytes', 'Bytes outside the JavaScript heap of all networks', () => usage().nativeBytes)
  ofProcess('waiting', 'Calls that wait for a processor', () => usage().waiting)
  return {
    running: gauge('running', 'Runs under way'),
    trainingBytes: gauge('training_bytes', 'Bytes outside the JavaScript heap of networks that train'),
    runs: counter('runs_total', 'Runs that ended', ['reason']),
    epochs: counter('epochs_total', 'Epochs completed'),
    steps: counter('steps_total', 'Steps done'),
    samples: counter('samples_total', 'Samples trained on'),
    rewirings: counter('rewirings_total', 'Rewirings done'),
    moved: counter('moved_connections_total', 'Connections that rewirings laid'),
    trainSeconds: counter('train_seconds_total', 'Seconds of training, rewiring not counted'),
    rewireSeconds: counter('rewire_seconds_total', 'Seconds of rewiring'),
    epochSeconds: histogram('epoch_seconds', 'Seconds of training of an epoch, rewiring included'),
    checkpointSeconds: histogram('checkpoint_seconds', 'Seconds of writing a checkpoint'),
    runSeconds: histogram('run_seconds', 'Seconds of a run'),
    trainLoss: gauge('train_loss', 'Training loss of the last epoch'),
    trainAccuracy: gauge('train_accuracy', 'Training accuracy of the last epoch, 0 to 1'),
    validationLoss: gauge('validation_loss', 'Validation loss of the last epoch'),
    validationAccuracy: gauge('validation_accuracy', 'Validation accuracy of the last epoch, 0 to 1'),
  }
}

/** Turns what happens in one run into what is added to the metrics. */
class RunMeter implements RunListener {
  readonly #metrics: Metrics
  readonly #labels: MetricLabels
  readonly #run: ObservedRun
  readonly #started = performance.now()
  /** What of this run is in the metrics already. */
  #steps: number
  #bytes = 0

  constructor(metrics: Metrics, labels: MetricLabels, run: ObservedRun) {
    this.#metrics = metrics
    this.#labels = labels
    this.#run = run
    this.#steps = run.before.steps
    metrics.running.inc(labels, 1)
    this.#holds(run.stats())
  }

  event(event: RunEvent): void {
    const { epochs, rewirings, moved } = this.#metrics
    if (event.type === 'progress') this.#stepped(event.step)
    if (event.type === 'end') this.#stepped(event.steps)
    if (event.type === 'rewire') {
      this.#stepped(event.step)
      rewirings.inc(this.#labels, 1)
      moved.inc(this.#labels, movedBy(event))
    }
    if (event.type === 'epoch') {
      this.#stepped(event.step)
      epochs.inc(this.#labels, 1)
      this.#epoch(event)
    }
    if (event.type === 'epoch' || event.type === 'rewire') this.#holds(this.#run.stats())
  }

  checkpoint({ seconds, error }: WrittenCheckpoint): void {
    if (error === null) this.#metrics.checkpointSeconds.observe(this.#labels, seconds)
  }

  end({ reason }: RunOutcome): void {
    const { runs, running, runSeconds, trainingBytes } = this.#metrics
    running.inc(this.#labels, -1)
    trainingBytes.inc(this.#labels, -this.#bytes)
    runs.inc({ ...this.#labels, reason }, 1)
    runSeconds.observe(this.#labels, (performance.now() - this.#started) / 1000)
  }

  #epoch({ train, validation, seconds, rewireSeconds }: EpochEvent): void {
    const metrics = this.#metrics
    const labels = this.#labels
    metrics.trainSeconds.inc(labels, Math.max(0, seconds - rewireSeconds))
    metrics.rewireSeconds.inc(labels, rewireSeconds)
    metrics.epochSeconds.observe(labels, seconds)
    metrics.trainLoss.set(labels, train.loss)
    if (train.accuracy !== null) metrics.trainAccuracy.set(labels, train.accuracy)
    if (validation === null) return
    metrics.validationLoss.set(labels, validation.loss)
    if (validation.accuracy !== null) metrics.validationAccuracy.set(labels, validation.accuracy)
  }

  #stepped(step: number): void {
    if (step <= this.#steps) return
    this.#metrics.steps.inc(this.#labels, step - this.#steps)
    this.#metrics.samples.inc(this.#labels, this.#samplesUntil(step) - this.#samplesUntil(this.#steps))
    this.#steps = step
  }

  /** The last batch of an epoch may be smaller. */
  #samplesUntil(step: number): number {
    const { samples, settings } = this.#run
    const stepsPerEpoch = Math.ceil(samples / settings.batchSize)
    const inEpoch = (step % stepsPerEpoch) * settings.batchSize
    return Math.floor(step / stepsPerEpoch) * samples + inEpoch
  }

  /** Several runs add to the same number. */
  #holds({ bytes }: NetworkStats): void {
    this.#metrics.trainingBytes.inc(this.#labels, bytes.total - this.#bytes)
    this.#bytes = bytes.total
  }
}

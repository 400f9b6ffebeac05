import { type Attributes, context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { packageVersion } from '../native/version.js'
import type { EpochEvent, Metrics, RunEvent } from '../train/events.js'
import { codeOf } from './follow.js'
import { movedBy } from './logger.js'
import type { ObservedRun, RunListener, RunObserver, RunOutcome, WrittenCheckpoint } from './observer.js'

/** Of the provider that is registered now; where none is, it does nothing. */
const tracer = (): Tracer => trace.getTracer('espalier', packageVersion())

/**
 * Does something in a span of its own, which is a child of the caller's active one.
 *
 * @param work gets the span, to say on it what is known later
 */
export function traced<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer().startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span)
    } catch (error) {
      fail(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

/**
 * Spans of a run: `espalier.fit`, a child of the span that was active when `fit` was called, with a child for each epoch,
 * on which rewirings are events, and for each checkpoint. Where no tracer is registered nobody listens.
 */
export const traceRun: RunObserver = (run) => {
  const startTime = Date.now()
  const span = tracer().startSpan('espalier.fit', { startTime })
  if (!span.isRecording()) return
  span.setAttributes(beginAttributes(run))
  return new RunSpans(span, startTime)
}

class RunSpans implements RunListener {
  readonly #fit: Span
  /** Within which the children are made. */
  readonly #context
  #epoch: Span | null = null
  #epochFrom: number

  constructor(fit: Span, startTime: number) {
    this.#fit = fit
    this.#epochFrom = startTime
    this.#context = trace.setSpan(context.active(), fit)
  }

  event(event: RunEvent): void {
    if (event.type === 'progress') this.#inEpoch(event.epoch)
    if (event.type === 'rewire') {
      this.#inEpoch(event.epoch).addEvent('rewire', {
        'espalier.step': event.step,
        'espalier.fraction': event.fraction,
        'espalier.moved': movedBy(event),
      })
    }
    if (event.type === 'epoch') {
      this.#inEpoch(event.epoch).setAttributes(epochAttributes(event))
      this.#endEpoch()
    }
  }

  checkpoint({ path, epoch, step, seconds, error }: WrittenCheckpoint): void {
    const now = Date.now()
    const attributes = { 'espalier.path': path, 'espalier.epoch': epoch, 'espalier.step': step }
    const options = { attributes, startTime: now - seconds * 1000 }
    const span = tracer().startSpan('espalier.checkpoint', options, this.#context)
    if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
    span.end(now)
  }

  end(outcome: RunOutcome): void {
    // An epoch that was not completed.
    if (this.#epoch !== null) this.#endEpoch()
    this.#fit.setAttribute('espalier.reason', outcome.reason)
    if (outcome.reason === 'failed') {
      fail(this.#fit, outcome.error)
    } else {
      const { epochs, steps, trainLoss, validation } = outcome.result
      this.#fit.setAttributes({
        'espalier.epochs_done': epochs,
        'espalier.steps_done': steps,
        ...(trainLoss === null ? {} : { 'espalier.train.loss': trainLoss }),
        ...metricAttributes('validation', validation),
      })
    }
    this.#fit.end(Date.now())
  }

  /** The span of the epoch under way, which began when the one before ended. */
  #inEpoch(epoch: number): Span {
    this.#epoch ??= tracer().startSpan(
      'espalier.epoch',
      { attributes: { 'espalier.epoch': epoch }, startTime: this.#epochFrom },
      this.#context,
    )
    return this.#epoch
  }

  #endEpoch(): void {
    this.#epochFrom = Date.now()
    this.#epoch?.end(this.#epochFrom)
    this.#epoch = null
  }
}

function fail(span: Span, error: unknown): void {
  const code = codeOf(error)
  span.setAttribute('error.type', code)
  span.recordException(error instanceof Error ? error : String(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message: code })
}

function beginAttributes(run: ObservedRun): Attributes {
  const { description, settings, device, threads, samples, before } = run
  const { connections, parameters, sparsity, bytes } = run.stats()
  return {
    'espalier.inputs': description.inputs,
    'espalier.layers': description.layers.length,
    'espalier.connections': connections,
    'espalier.parameters': parameters,
    'espalier.sparsity': sparsity,
    'espalier.native_bytes': bytes.total,
    'espalier.device': device,
    'espalier.threads': threads,
    'espalier.samples': samples,
    'espalier.epochs': settings.epochs,
    'espalier.batch_size': settings.batchSize,
    'espalier.optimizer': settings.optimizer.type,
    'espalier.rewire': settings.rewire.type,
    'espalier.steps_before': before.steps,
  }
}

function epochAttributes(event: EpochEvent): Attributes {
  const { step, train, validation, learningRate, seconds, rewireSeconds } = event
  return {
    'espalier.step': step,
    'espalier.learning_rate': learningRate,
    'espalier.seconds': seconds,
    'espalier.rewire_seconds': rewireSeconds,
    ...metricAttributes('train', train),
    ...metricAttributes('validation', validation),
  }
}

function metricAttributes(part: 'train' | 'validation', metrics: Metrics | null): Attributes {
  if (metrics === null) return {}
  const { loss, accuracy } = metrics
  return {
    [`espalier.${part}.loss`]: loss,
    ...(accuracy === null ? {} : { [`espalier.${part}.accuracy`]: accuracy }),
  }
}

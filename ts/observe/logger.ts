import type { RewireEvent, RunEvent } from '../train/events.js'
import type { ObservedRun, RunListener, RunObserver } from './observer.js'

/** One line: what it says as an object, and a message. */
export type LogMethod = (fields: object, message: string) => void

/** What a run writes to. Loggers of pino have it, and so does `console`. */
export interface Logger {
  /** Progress (at most ten a second) and rewirings. */
  debug: LogMethod
  /** Begin, epochs, checkpoints and end. */
  info: LogMethod
  /** A run that failed. */
  error: LogMethod
}

/** Writes runs to a logger. */
export function logTo(logger: Logger): RunObserver {
  return (run) => {
    logger.info(beginFields(run), 'training begins')
    return {
      event: (event) => logEvent(logger, event),
      checkpoint({ error, ...written }) {
        // That it could not be written ends the run, which says why.
        if (error === null) logger.info(written, 'checkpoint written')
      },
      end(outcome) {
        if (outcome.reason === 'failed') {
          const { code, error: err } = outcome
          logger.error({ code, err }, 'training failed')
          return
        }
        const { epochs, steps, trainLoss, validation, seconds, samplesPerSecond } = outcome.result
        const fields = {
          reason: outcome.reason,
          epochs,
          steps,
          trainLoss,
          validation,
          seconds,
          samplesPerSecond,
        }
        logger.info(fields, 'training ended')
      },
    } satisfies RunListener
  }
}

function beginFields({ settings, device, threads, samples, validationSamples, before, stats }: ObservedRun) {
  const { connections, parameters, sparsity } = stats()
  const { epochs, batchSize, optimizer, rewire } = settings
  return {
    connections,
    parameters,
    sparsity,
    device,
    threads,
    samples,
    validationSamples,
    epochs,
    batchSize,
    optimizer: optimizer.type,
    rewire: rewire.type,
    stepsBefore: before.steps,
  }
}

function logEvent(logger: Logger, event: RunEvent): void {
  if (event.type === 'progress') {
    const { type, ...fields } = event
    logger.debug(fields, 'training')
  }
  if (event.type === 'epoch') {
    const { type, ...fields } = event
    logger.info(fields, 'epoch done')
  }
  if (event.type === 'rewire') {
    const { epoch, step, fraction } = event
    logger.debug({ epoch, step, fraction, moved: movedBy(event) }, 'connections moved')
  }
}

/** Connections that a rewiring laid, over all layers. */
export function movedBy({ layers }: RewireEvent): number {
  return layers.reduce((sum, { moved }) => sum + moved, 0)
}

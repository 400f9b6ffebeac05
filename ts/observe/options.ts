import { z } from 'zod'
import { instance } from '../validation.js'
import { type Logger, logTo } from './logger.js'
import type { RunObserver } from './observer.js'

/** Who hears of a run while it lasts; none of them can disturb it. */
export interface ObserveOptions {
  /**
   * Writes the run down: anything with `debug`, `info` and `error` that take an object and a message, such as a logger of
   * pino, or `console`. Begin, epochs, checkpoints and end are `info`, a failure is `error` with its code, progress and
   * rewirings are `debug`. Default: none.
   */
  logger?: Logger
  /** Follows the run: `runMetrics(client)()`, functions of your own, or several in a list. Default: none. */
  observe?: RunObserver | readonly RunObserver[]
}

const logMethods = ['debug', 'info', 'error'] as const

const isLogger = (value: unknown): value is Logger =>
  typeof value === 'object' &&
  value !== null &&
  logMethods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')

const observerSchema = instance(
  (value): value is RunObserver => typeof value === 'function',
  'a function (run) => listener, such as runMetrics(client)()',
)

/** The options above among those of a call. */
export const observeShape = {
  logger: instance(isLogger, `an object with the methods ${logMethods.join(', ')}`).optional(),
  observe: z
    .union([observerSchema, z.array(observerSchema)], {
      error: 'a function (run) => listener, such as runMetrics(client)(), or a list of them',
    })
    .optional(),
}

/** The options as the observers that they ask for. */
export function observersOf({ logger, observe }: z.infer<z.ZodObject<typeof observeShape>>): RunObserver[] {
  const given = observe === undefined ? [] : [observe].flat()
  return logger === undefined ? given : [logTo(logger), ...given]
}

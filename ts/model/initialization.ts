import { z } from 'zod'
import { object, oneOf, real } from '../validation.js'

const names = ['he', 'xavier', 'normal', 'zeros'] as const

/**
 * Where weights start: `he` normal with variance 2 / fan-in (He et al., 2015), `xavier` normal with variance
 * 2 / (fan-in + fan-out) (Glorot and Bengio, 2010), `normal` with the given deviation, `zeros`. In a sparse layer
 * fan-in and fan-out count the connections that exist.
 *
 * @useDeclaredType
 */
export type InitializationName = (typeof names)[number]

/** First values of weights, as a layer has them. */
export interface Initialization {
  readonly type: InitializationName
  /** Standard deviation of `normal` (default 0.1); 0 for the others, which find their own. */
  readonly deviation: number
}

/** An initialization as an option: its name, or `{ type: 'normal', deviation }`. */
export type InitializationOption =
  | InitializationName
  | { readonly type: InitializationName; readonly deviation?: number }

/** Accepts the short form and the whole one; gives the whole one. */
export const initializationSchema = z
  .preprocess(
    (value) => (value !== null && typeof value === 'object' ? value : { type: value }),
    object({ type: oneOf(names), deviation: real({ from: 0, to: 100 }).optional() }),
  )
  .superRefine(({ type, deviation }, context) => {
    if (deviation !== undefined && deviation !== 0 && type !== 'normal') {
      context.addIssue({
        code: 'custom',
        path: ['deviation'],
        message: `no deviation for ${type}; only normal has one`,
      })
    }
  })
  .transform(
    ({ type, deviation }): Initialization => ({
      type,
      deviation: deviation ?? (type === 'normal' ? 0.1 : 0),
    }),
  )

import { z } from 'zod'
import { object, oneOf, real } from '../validation.js'

const names = ['linear', 'relu', 'leakyRelu', 'allRelu', 'srelu', 'tanh', 'sigmoid', 'gelu', 'silu'] as const

/**
 * Names of the activations. `allRelu` (Curci et al., 2021) has slope -alpha on even hidden layers and +alpha on odd
 * ones; `srelu` (Jin et al., 2016) trains four parameters a neuron; `gelu` is Hendrycks and Gimpel's, `silu` is
 * x sigmoid(x).
 *
 * @useDeclaredType
 */
export type ActivationName = (typeof names)[number]

/** An activation as a layer has it. */
export interface Activation {
  readonly type: ActivationName
  /** Slope of leakyRelu (default 0.01) and allRelu (default 0.6) below zero; 0 for the others, which have none. */
  readonly alpha: number
}

/** An activation as an option: its name, or `{ type, alpha }` for the two that take a slope. */
export type ActivationOption = ActivationName | { readonly type: ActivationName; readonly alpha?: number }

const slopes: Partial<Record<ActivationName, number>> = { leakyRelu: 0.01, allRelu: 0.6 }

/** Accepts the short form and the whole one; gives the whole one. */
export const activationSchema = z
  .preprocess(
    (value) => (value !== null && typeof value === 'object' ? value : { type: value }),
    object({ type: oneOf(names), alpha: real({ from: 0, to: 1 }).optional() }),
  )
  .superRefine(({ type, alpha }, context) => {
    if (alpha !== undefined && alpha !== 0 && slopes[type] === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['alpha'],
        message: `no alpha for ${type}; only leakyRelu and allRelu have one`,
      })
    }
  })
  .transform(({ type, alpha }): Activation => ({ type, alpha: alpha ?? slopes[type] ?? 0 }))

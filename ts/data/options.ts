import { EspalierError } from '../errors.js'
import { instance, show, whole } from '../validation.js'
import type { Dataset } from './dataset.js'

/** A seed: a safe integer >= 0. */
export const seedOption = whole({ from: 0 })

/** A count of things: a safe integer >= `least`. */
export const countOption = (least: number) => whole({ from: least })

const isSignal = (value: unknown): value is AbortSignal => value instanceof AbortSignal
export const signalOption = instance(isSignal, 'an AbortSignal').optional()

/** @throws ERR_ESPALIER_OPTION for an argument that is no text, naming it, what was given and what is allowed */
export function checkText(call: string, argument: string, value: unknown, allowed: string): void {
  if (typeof value === 'string') return
  throw new EspalierError(
    'ERR_ESPALIER_OPTION',
    `${call}: ${argument} is ${show(value)}; allowed: ${allowed}`,
  )
}

/** @throws ERR_ESPALIER_DATA for an argument that is no data set */
export function checkDataset(call: string, dataset: unknown): void {
  const { samples, features, values } = (dataset ?? {}) as Partial<Dataset>
  if (Number.isSafeInteger(samples) && Number.isSafeInteger(features) && values instanceof Float32Array)
    return
  const allowed = 'a Dataset, with samples, features and values'
  throw new EspalierError('ERR_ESPALIER_DATA', `${call}: dataset is ${show(dataset)}; allowed: ${allowed}`)
}

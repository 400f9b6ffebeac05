import { inspect } from 'node:util'
import { closest } from 'fastest-levenshtein'
import { z } from 'zod'
import { EspalierError } from '../errors.js'

/** A seed: a safe integer >= 0. */
export const seedOption = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

/** A count of things: a safe integer >= `least`. */
export const countOption = (least: number) => z.int().min(least).max(Number.MAX_SAFE_INTEGER)

/**
 * Checks the options of `where` against a strict zod object and fills in its defaults.
 *
 * @throws ERR_ESPALIER_OPTION naming the option, what was given and what is allowed.
 */
export function checkOptions<T extends z.ZodObject>(where: string, schema: T, given: unknown): z.output<T> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const known = Object.keys(schema.shape)
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `${where}: there is no option "${key}"; did you mean "${closest(key, known)}"? Known options: ${known.join(', ')}`,
    )
  }
  const key = issue.path[0]
  if (key === undefined) {
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `${where}: options must be an object, got ${inspect(given)}`,
    )
  }
  const value = issue.path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown>)?.[step], given)
  throw new EspalierError(
    'ERR_ESPALIER_OPTION',
    `${where}: option "${issue.path.map(String).join('.')}" is ${inspect(value, { depth: 1, maxStringLength: 80 })}: ${issue.message}`,
  )
}

import { z } from 'zod'
import { freeze, object } from '../validation.js'

/** Nothing moves: the pattern stays as the topology laid it. */
export interface StaticRule {
  readonly type: 'static'
}

export const staticSchema = object({ type: z.literal('static') })

/** Nothing moves: the pattern stays as the topology laid it. */
export function staticTopology(): StaticRule {
  return freeze({ type: 'static' })
}

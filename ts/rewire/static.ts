import { z } from 'zod'
import { freeze, object, parse } from '../validation.js'
import { type NeuronRule, neuronsSchema } from './neurons.js'

/** No connection moves: the pattern stays as the topology laid it, but for neurons that are removed. */
export interface StaticRule {
  readonly type: 'static'
  readonly neurons: NeuronRule | null
}

/** Options of `staticTopology`. */
export interface StaticOptions {
  /** Remove hidden neurons while training. Default null: none. */
  neurons?: NeuronRule | null
}

const shape = { neurons: neuronsSchema }
const staticOptions = object(shape)

export const staticSchema = object({ type: z.literal('static'), ...shape })

/**
 * No connection moves: the pattern stays as the topology laid it. With `neurons`, hidden neurons are removed all the
 * same; with budget 'keep' their connections are laid anew at random and start at zero.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function staticTopology(options: StaticOptions = {}): StaticRule {
  return freeze({ type: 'static', ...parse('staticTopology', staticOptions, options) })
}

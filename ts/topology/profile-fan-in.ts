import { addon, guarded } from '../native/loader.js'
import { MAX_WIDTH, object, oneOf, parse, real, whole } from '../validation.js'
import { type ProfileFamily, profileFamilies } from './profile.js'

/** Options of `profileFanIn`. */
export interface ProfileFanInOptions {
  family: ProfileFamily
  /** Coefficient of variation, >= 0. */
  cv: number
  inputs: number
  outputs: number
  /** Connections of the layer, 1 to inputs x outputs. */
  connections: number
}

/** What a profile becomes in one layer. */
export interface ProfileFanIn {
  /** Connections into each neuron, exactly `connections` in all. */
  counts: Int32Array
  /** As asked. */
  cvAsked: number
  /** Of the counts. */
  cvReached: number
  /** Null where the CV reached is within 1 % of the one asked; else says that it is the nearest. */
  note: string | null
}

const optionsSchema = object({
  family: oneOf(profileFamilies),
  cv: real({ from: 0 }),
  inputs: whole({ from: 1, to: MAX_WIDTH }),
  outputs: whole({ from: 1, to: MAX_WIDTH }),
  connections: whole({ from: 1, to: 2 ** 31 - 1 }),
})

/**
 * The fan-in that `profile` gives to each neuron of a layer, and the CV that whole numbers reach. For a layer of blocks,
 * count inputs, outputs and connections in block columns, block rows and blocks.
 *
 * @throws ERR_ESPALIER_OPTION, also for a CV out of reach, which the message names
 */
export function profileFanIn(options: ProfileFanInOptions): ProfileFanIn {
  const { family, cv, inputs, outputs, connections } = parse('profileFanIn', optionsSchema, options)
  const { counts, cv: reached } = guarded(() =>
    addon().kernels.profileFanIn(family, cv, outputs, inputs, connections),
  )
  return { counts, cvAsked: cv, cvReached: reached, note: cvNote(cv, reached) }
}

/** What there is to say of a CV that is not within 1 % of the one asked. */
export function cvNote(asked: number, reached: number): string | null {
  if (reached >= 0.99 * asked && reached <= 1.01 * asked) return null
  return `asked for a fan-in of CV ${asked}; the nearest that whole numbers reach is ${reached.toPrecision(4)}`
}

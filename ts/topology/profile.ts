import { z } from 'zod'
import { freeze, object, oneOf, parse, real } from '../validation.js'
import { type InputPlacement, inputPlacementSchema, type LayerDensity, layerDensitySchema } from './shared.js'

export const profileFamilies = [
  'linear',
  'power',
  'exponential',
  'logarithmic',
  'logistic',
  'gaussian',
  'sinusoidal',
  'quadratic',
  'lognormal',
  'powerLaw',
] as const

/**
 * What fan-in follows: f(u; s) of neuron i of n at u = (i + 1/2) / n, with the reach of its coefficient of variation
 * (CV) for many neurons, before fan-in meets its bounds.
 *
 * - `linear` 1 + s (2u - 1), 0 <= s < 1: 0 to 0.577
 * - `power` u^s, s >= 0: any
 * - `exponential` exp(s u), s >= 0: any
 * - `logarithmic` log(1 + s u), s > 0, whose CV falls as s grows: 0 to 0.577
 * - `logistic` 1 / (1 + exp(-s (u - 1/2))), s >= 0: 0 to 1
 * - `gaussian` exp(-s (u - 1/2)^2), s >= 0, hubs in the middle: any
 * - `sinusoidal` 1 + s sin(2 pi u), 0 <= s < 1: 0 to 0.707
 * - `quadratic` 1 + s (2u - 1)^2, s >= 0, hubs at both ends: 0 to 0.894
 * - `lognormal` exp(s probit(u)), s = sigma >= 0: any
 * - `powerLaw` (1 - u)^-s, s = 1/a >= 0, truncated by the number of inputs: any
 *
 * Tomczak (arXiv 2604.10560) names families of profiles; these formulas, and the branch of s where there are two, are
 * ours.
 *
 * @useDeclaredType
 */
export type ProfileFamily = (typeof profileFamilies)[number]

/** The topology that `profile` makes. */
export interface ProfileTopology {
  readonly type: 'profile'
  readonly family: ProfileFamily
  readonly cv: number | readonly number[]
  readonly placement: InputPlacement
  readonly density: LayerDensity
}

/** Options of `profile`. */
export interface ProfileOptions {
  /** What fan-in follows. */
  family: ProfileFamily
  /**
   * Coefficient of variation of fan-in (deviation of the population / mean), >= 0: one for all sparse layers, or one for
   * each.
   */
  cv: number | readonly number[]
  /** Which inputs each neuron gets. Default 'golden'. */
  placement?: InputPlacement
  /** How the layers share the weights. Default 'erdosRenyi'. */
  density?: LayerDensity
}

const cv = real({ from: 0 })
const allowed = 'a number cv >= 0, or one for each sparse layer'
const shape = {
  family: oneOf(profileFamilies),
  cv: z.union([cv, z.array(cv, { error: allowed }).min(1, { error: allowed }).readonly()], {
    error: allowed,
  }),
  placement: inputPlacementSchema.default('golden'),
  density: layerDensitySchema.default('erdosRenyi'),
}

export const profileSchema = object({ type: z.literal('profile'), ...shape })
const profileOptions = object(shape)

/**
 * Fan-in of the neurons by a profile instead of by chance (Profiled Sparse Networks, Tomczak, arXiv 2604.10560): neuron
 * i of n gets its share by f(u; s), u = (i + 1/2) / n. f is scaled so that, clamped to 1 .. inputs (0 .. inputs where a
 * layer has fewer connections than neurons), fan-in adds up to the connections of the layer; s is the one that gives
 * fan-in the CV asked. Rounding is by largest remainder: every layer has exactly its number of connections. Where whole
 * numbers move the CV by more than 1 %, s is searched again for the profile whose rounded CV is nearest, and single
 * connections move as long as that brings it nearer; `profileFanIn` says what is reached. With block shapes neurons and inputs are block rows and block columns.
 *
 * @throws ERR_ESPALIER_OPTION; and `new Network` for a CV out of the family's reach in a layer, which it names. A layer
 * that is dense reaches only 0: give such a layer a cv of its own, or make it by `dense`
 */
export function profile(options: ProfileOptions): ProfileTopology {
  return freeze({ type: 'profile', ...parse('profile', profileOptions, options) })
}

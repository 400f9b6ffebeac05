import { z } from 'zod'
import { type Clash, flag, oneOf, real, whole } from '../validation.js'

/** Steps between two rewirings, or `'epoch'`: after every epoch but the last. */
export type RewireInterval = 'epoch' | number

/**
 * How the share that moves changes over training: `constant`; `cosine`, m + (f - m)/2 (1 + cos(pi t / T_end)) with the
 * minimum m; `exponential`, falling towards 0; `learningRate`, in proportion to the learning rate.
 */
export type FractionSchedule = 'constant' | 'cosine' | 'exponential' | 'learningRate'

const interval = 'epoch, or a whole number of steps >= 1'

const intervalSchema = z.union([z.literal('epoch'), whole({ from: 1 })], { error: interval })
const fractionSchema = real({ above: 0, to: 1 })
export const untilSchema = real({ from: 0, to: 1 })
const fractionScheduleSchema = oneOf(['constant', 'cosine', 'exponential', 'learningRate'])
export const minimumFractionSchema = real({ from: 0, to: 1 }).default(0)

/** What every rule has that moves connections again and again. */
export interface MovingRule {
  readonly every: RewireInterval
  readonly fraction: number
  readonly until: number
  readonly fractionSchedule: FractionSchedule
  readonly trackExploration: boolean
}

/** Its options. Each rule says its own defaults. */
export interface MovingOptions {
  /** Steps between two rewirings, >= 1, or 'epoch' for after every epoch but the last. */
  every?: RewireInterval
  /** Share of a layer's connections that move at first; 0 < fraction <= 1. */
  fraction?: number
  /** Share of training after which nothing moves, 0 to 1. */
  until?: number
  /** How the fraction changes over training. */
  fractionSchedule?: FractionSchedule
  /**
   * Follow R_s, the share of positions that ever had a connection (Liu et al., 2021): one bit a position; told by rewire
   * events, `network.summary()` and `network.exploration()`, saved and resumed. Default false.
   */
  trackExploration?: boolean
}

/** How the options of a rule are checked, with its own defaults. */
export function movingShape(defaults: Omit<MovingRule, 'trackExploration'>) {
  return {
    every: intervalSchema.default(defaults.every),
    fraction: fractionSchema.default(defaults.fraction),
    until: untilSchema.default(defaults.until),
    fractionSchedule: fractionScheduleSchema.default(defaults.fractionSchedule),
    trackExploration: flag().default(false),
  }
}

/** Options over the defaults of a preset. One that is undefined counts as not given, as it does for every rule. */
export function over<Options extends object>(defaults: Options, options: Options): Options {
  // The rule itself refuses what is no object.
  if (typeof options !== 'object' || options === null) return options
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

/** Option of set and rigl that stems from ITOP. */
export interface ExplorationOptions extends MovingOptions {
  /** Where the cosine of the fraction ends, 0 to fraction. Default 0. */
  minimumFraction?: number
}

/** Finds a minimum that the fraction never falls to. */
export function clashOfFractions({
  fraction,
  minimumFraction,
  fractionSchedule,
}: {
  fraction: number
  minimumFraction: number
  fractionSchedule: FractionSchedule
}): Clash<'minimumFraction'> | null {
  const refuse = (reason: string) => ({ option: 'minimumFraction', reason }) as const
  if (minimumFraction > fraction) return refuse(`allowed: up to the fraction, ${fraction}`)
  if (minimumFraction > 0 && fractionSchedule !== 'cosine')
    return refuse(`fractionSchedule is '${fractionSchedule}'; allowed: 0, or fractionSchedule: 'cosine'`)
  return null
}

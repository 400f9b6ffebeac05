import { z } from 'zod'
import type { NativeLearningRateSchedule } from '../native/surface.js'
import { freeze, object, oneKind, parse, real, whole } from '../validation.js'

/** What every schedule begins with. */
export interface Warmup {
  /** Steps of linear rise from 0 that go before the schedule, 0 or more. */
  readonly warmup: number
}

/** How the learning rate of the optimizer changes over training. */
export type LearningRateSchedule =
  | (Warmup & { readonly type: 'constant' })
  | (Warmup & { readonly type: 'stepDecay'; readonly every: number; readonly factor: number })
  | (Warmup & { readonly type: 'cosine'; readonly minimum: number })
  | (Warmup & {
      readonly type: 'oneCycle'
      readonly rise: number
      readonly start: number
      readonly end: number
    })

/** What every schedule can begin with. */
export interface WarmupOptions {
  /** Steps of linear rise from 0 that go before the schedule. Default 0. */
  warmup?: number
}

/** Options of `stepDecay`. */
export interface StepDecayOptions extends WarmupOptions {
  /** Epochs between two reductions, >= 1. */
  every: number
  /** What the learning rate is multiplied by at each, 0 < factor <= 1. */
  factor: number
}

/** Options of `cosine`. */
export interface CosineOptions extends WarmupOptions {
  /** The learning rate at the end as a share of the first one, 0 to 1. Default 0. */
  minimum?: number
}

/** Options of `oneCycle`. */
export interface OneCycleOptions extends WarmupOptions {
  /** Share of the steps in which the learning rate rises, 0 < rise < 1. Default 0.3. */
  rise?: number
  /** First learning rate as a share of the optimizer's, which is the peak; 0 to 1. Default 0.04. */
  start?: number
  /** Last learning rate as a share of the peak, 0 to 1. Default 1e-4. */
  end?: number
}

const share = real({ from: 0, to: 1 })
const warmup = whole({ from: 0 }).default(0)

const constantShape = { warmup }
const stepDecayShape = { every: whole({ from: 1 }), factor: real({ above: 0, to: 1 }), warmup }
const cosineShape = { minimum: share.default(0), warmup }
const oneCycleShape = {
  rise: real({ above: 0, below: 1 }).default(0.3),
  start: share.default(0.04),
  end: share.default(1e-4),
  warmup,
}

const constantOptions = object(constantShape)
const stepDecayOptions = object(stepDecayShape)
const cosineOptions = object(cosineShape)
const oneCycleOptions = object(oneCycleShape)

export const scheduleSchema: z.ZodType<LearningRateSchedule> = oneKind(
  [
    object({ type: z.literal('constant'), ...constantShape }),
    object({ type: z.literal('stepDecay'), ...stepDecayShape }),
    object({ type: z.literal('cosine'), ...cosineShape }),
    object({ type: z.literal('oneCycle'), ...oneCycleShape }),
  ],
  'constant(), stepDecay(...), cosine(...), oneCycle(...)',
)

/** The learning rate of the optimizer throughout. @throws ERR_ESPALIER_OPTION */
export function constant(options: WarmupOptions = {}): LearningRateSchedule {
  return freeze({ type: 'constant', ...parse('constant', constantOptions, options) })
}

/** learningRate x factor^floor(epoch / every). @throws ERR_ESPALIER_OPTION */
export function stepDecay(options: StepDecayOptions): LearningRateSchedule {
  return freeze({ type: 'stepDecay', ...parse('stepDecay', stepDecayOptions, options) })
}

/** Half a cosine from the learning rate down to `minimum` of it (Loshchilov and Hutter, 2017). @throws ERR_ESPALIER_OPTION */
export function cosine(options: CosineOptions = {}): LearningRateSchedule {
  return freeze({ type: 'cosine', ...parse('cosine', cosineOptions, options) })
}

/** Up to the learning rate and down again, both by half a cosine (Smith and Topin, 2018). @throws ERR_ESPALIER_OPTION */
export function oneCycle(options: OneCycleOptions = {}): LearningRateSchedule {
  return freeze({ type: 'oneCycle', ...parse('oneCycle', oneCycleOptions, options) })
}

/** The schedule with every field that the addon knows; those of the other kinds get a harmless value. */
export function toNativeSchedule(schedule: LearningRateSchedule): NativeLearningRateSchedule {
  const others = { every: 1, factor: 1, minimum: 0, rise: 0.3, start: 0, end: 0 }
  return { ...others, ...schedule, type: schedule.type === 'stepDecay' ? 'step' : schedule.type }
}

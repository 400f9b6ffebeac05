import { z } from 'zod'
import { oneOf, real, whole } from '../validation.js'

/** Steps between two rewirings, or `'epoch'`: after every epoch but the last. */
export type RewireInterval = 'epoch' | number

/**
 * How the share that moves changes over training: `constant`; `cosine`, f/2 (1 + cos(pi t / T_end)); `exponential`,
 * falling towards 0; `learningRate`, in proportion to the learning rate.
 */
export type FractionSchedule = 'constant' | 'cosine' | 'exponential' | 'learningRate'

const interval = 'epoch, or a whole number of steps >= 1'

export const intervalSchema = z.union([z.literal('epoch'), whole({ from: 1 })], { error: interval })
export const fractionSchema = real({ above: 0, to: 1 })
export const untilSchema = real({ from: 0, to: 1 })
export const fractionScheduleSchema = oneOf(['constant', 'cosine', 'exponential', 'learningRate'])

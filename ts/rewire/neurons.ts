import { z } from 'zod'
import type { NativeNeurons } from '../native/surface.js'
import { type Clash, freeze, object, oneKind, oneOf, parse, real, together, whole } from '../validation.js'
import { untilSchema } from './shared.js'

/** What a hidden neuron is worth: the sum of |weights| into it, or out of it, or the product of the two. */
export type NeuronCriterion = 'incoming' | 'outgoing' | 'product'

/** What `pruneNeurons` makes. */
export interface NeuronPruning {
  readonly type: 'pruneNeurons'
  readonly criterion: NeuronCriterion
  readonly fraction: number
  readonly from: number
  readonly until: number
  readonly every: number
  readonly budget: 'keep' | 'release'
}

/** Options of `pruneNeurons`. */
export interface NeuronPruningOptions {
  /** Which neurons are worth least: by the weights coming in, going out, or both. Default 'incoming'. */
  criterion?: NeuronCriterion
  /** Share of each hidden layer's neurons that is gone in the end, rounded down; 0 < fraction < 1. Default 0.5. */
  fraction?: number
  /** Share of training before which every neuron stays, 0 to 1. Default 0.1. */
  from?: number
  /** Share of training after which no more go, 0 to 1. Default 0.5. */
  until?: number
  /** Epochs from one removal to the next, >= 1; none follows the last epoch. Default 1. */
  every?: number
  /**
   * What becomes of the connections of removed neurons: 'keep' lays as many between living neurons of the same layer,
   * as far as there is room; 'release' gives them up, and the layer shrinks for good. Default 'keep'.
   */
  budget?: 'keep' | 'release'
}

/** What `importancePruning` makes. */
export interface ImportancePruning {
  readonly type: 'importancePruning'
  readonly from: number
  readonly every: number
  readonly percentile: number
}

/** Options of `importancePruning`. */
export interface ImportancePruningOptions {
  /** Share of training before which every neuron stays, 0 to 1. Default 0.4. */
  from?: number
  /** Epochs from one removal to the next, >= 1; none follows the last epoch. Default 10. */
  every?: number
  /** Of the living neurons of a hidden layer so many percent go at each removal; 0 < percentile < 100. Default 20. */
  percentile?: number
}

/** How neurons are removed while connections move. */
export type NeuronRule = NeuronPruning | ImportancePruning

const pruneShape = {
  criterion: oneOf(['incoming', 'outgoing', 'product']).default('incoming'),
  fraction: real({ above: 0, below: 1 }).default(0.5),
  from: untilSchema.default(0.1),
  until: untilSchema.default(0.5),
  every: whole({ from: 1 }).default(1),
  budget: oneOf(['keep', 'release']).default('keep'),
}
const importanceShape = {
  from: untilSchema.default(0.4),
  every: whole({ from: 1 }).default(10),
  percentile: real({ above: 0, below: 100 }).default(20),
}

/** The field `neurons` of a rule. */
export const neuronsSchema = oneKind(
  [
    together(object({ type: z.literal('pruneNeurons'), ...pruneShape }), clashOfTimes),
    object({ type: z.literal('importancePruning'), ...importanceShape }),
  ],
  'pruneNeurons(...), importancePruning(...), null',
)
  .nullable()
  .default(null)

const pruneOptions = together(object(pruneShape), clashOfTimes)
const importanceOptions = object(importanceShape)

/**
 * Hidden neurons that are worth least are removed between two points of training, in equal parts after each of those
 * epochs, until the fraction is gone (NPSET: Liu, Mocanu and Pechenizkiy, 2019, arXiv 1906.11626). A removed neuron
 * has no input and no output and never comes back; of equals the one with the larger index goes. Only neurons of
 * sparse layers go; where layers have blocks, they go in whole blocks. A layerNorm still counts them, as zeros.
 *
 * A resumed run leaves removed neurons alone whatever its rule; a fresh `fit` forgets which they were, and may connect
 * them again.
 *
 * The paper's text was not at hand: criterion, time and budget are options, and the defaults are ours.
 *
 * In training: ERR_ESPALIER_OPTION before the first step where the network has no sparse hidden layer, where no epoch
 * lies in the time given, or where a sigmoid layer lies right below a dense one (a removed sigmoid says 1/2); and at
 * the removal where a layer would be left without a connection.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function pruneNeurons(options: NeuronPruningOptions = {}): NeuronPruning {
  return freeze({ type: 'pruneNeurons', ...parse('pruneNeurons', pruneOptions, options) })
}

/**
 * Importance pruning (Curci, Mocanu and Pechenizkiy, 2021, arXiv 2102.01732): every so many epochs the living hidden
 * neurons below a percentile of the sum of |incoming weights| are removed as `pruneNeurons` removes them; their
 * connections are given up, and the network shrinks for good. The percentile is a count of neurons, rounded down, so
 * that a layer of few neurons keeps them. `from` stands for the paper's epoch 200; the share is ours.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function importancePruning(options: ImportancePruningOptions = {}): ImportancePruning {
  return freeze({ type: 'importancePruning', ...parse('importancePruning', importanceOptions, options) })
}

function clashOfTimes({ from, until }: { from: number; until: number }): Clash<'from'> | null {
  return from <= until ? null : { option: 'from', reason: `allowed: up to until, which is ${until}` }
}

export function toNativeNeurons(rule: NeuronRule): NativeNeurons {
  if (rule.type === 'importancePruning') {
    const { from, every, percentile } = rule
    const released = { criterion: 'incoming', until: 1, shareOfLiving: true, keepsBudget: false } as const
    return { ...released, from, every, share: percentile / 100 }
  }
  const { criterion, from, until, every, fraction, budget } = rule
  return {
    criterion,
    from,
    until,
    every,
    share: fraction,
    shareOfLiving: false,
    keepsBudget: budget === 'keep',
  }
}

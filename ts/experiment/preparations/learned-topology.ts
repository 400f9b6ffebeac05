import { z } from 'zod'
import { Network } from '../../model/network.js'
import { type RewireRule, ruleSchema } from '../../rewire/rule.js'
import { staticTopology } from '../../rewire/static.js'
import { savedTopology } from '../../topology/saved.js'
import { object, whole } from '../../validation.js'
import type { PreparationKind } from './preparation.js'

/** The connections that a rule has found, trained afresh and left where they are. */
export interface LearnedTopology {
  readonly type: 'learnedTopology'
  /** The rule that finds them. Default: that of the run. */
  readonly rewire?: RewireRule | undefined
  /** Epochs that it gets. Default: those of the run. */
  readonly epochs?: number | undefined
}

/**
 * The control of fixed connections: the network is trained by the rule, and then another starts on its final connections with
 * weights drawn afresh, by the same seed, and none moves. Is it the connections that a rule finds, or the search for them?
 */
export const learnedTopology: PreparationKind<LearnedTopology> = {
  schema: object({
    type: z.literal('learnedTopology'),
    rewire: ruleSchema.optional(),
    epochs: whole({ from: 1 }).optional(),
  }),

  trains: true,

  async prepare(run, { rewire = run.fit.rewire, epochs = run.fit.epochs }, { threads }) {
    using teacher = new Network(run.network)
    await teacher.fit(run.data.train, { ...run.fit, rewire, epochs, threads })
    const topology = savedTopology(await teacher.snapshot())
    const { sparsity: _, ...network } = run.network
    return { ...run, network: { ...network, topology }, fit: { ...run.fit, rewire: staticTopology() } }
  },
}

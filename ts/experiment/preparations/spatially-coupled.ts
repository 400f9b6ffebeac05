import { z } from 'zod'
import { featureImportance } from '../../analysis/feature-importance.js'
import { spatiallyCoupled as band } from '../../topology/spatially-coupled.js'
import { object, oneOf, whole } from '../../validation.js'
import type { PreparationKind } from './preparation.js'

/** The spatially coupled topology, with the importance of the training samples' features. */
export interface SpatiallyCoupled {
  readonly type: 'spatiallyCoupled'
  /** As `featureImportance` measures it; `equal`: every feature counts the same, the control of the band alone. */
  readonly importance: 'anova' | 'mutualInformation' | 'correlation' | 'joint' | 'equal'
  readonly blocks: number
  readonly window: number
}

/** Puts `spatiallyCoupled` with that importance in place of the network's topology. */
export const spatiallyCoupled: PreparationKind<SpatiallyCoupled> = {
  schema: object({
    type: z.literal('spatiallyCoupled'),
    importance: oneOf(['anova', 'mutualInformation', 'correlation', 'joint', 'equal']),
    blocks: whole({ from: 1 }),
    window: whole({ from: 1 }),
  }),

  trains: false,

  async prepare(run, { importance: measure, blocks, window }) {
    const { train } = run.data
    const importance =
      measure === 'equal'
        ? new Array<number>(train.features).fill(1)
        : await featureImportance(train, { measure })
    return { ...run, network: { ...run.network, topology: band({ importance, blocks, window }) } }
  },
}

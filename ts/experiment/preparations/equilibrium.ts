import { z } from 'zod'
import { equilibrium as findEquilibrium } from '../../topology/equilibrium.js'
import { object, whole } from '../../validation.js'
import type { PreparationKind } from './preparation.js'

/** The start at equilibrium: see `equilibrium` of the topologies. */
export interface Equilibrium {
  readonly type: 'equilibrium'
  /** Epochs of the training that finds it. Default: 5. */
  readonly epochs: number
}

/**
 * Trains the network of the method by RigL for a while, with the method's own settings (its RigL too, if that is its rule), and
 * puts in place of its topology the lognormal profile with the CVs of fan-in that were reached. The network itself starts afresh.
 */
export const equilibrium: PreparationKind<Equilibrium> = {
  schema: object({ type: z.literal('equilibrium'), epochs: whole({ from: 1, to: 1e6 }).default(5) }),

  trains: true,

  async prepare(run, { epochs }, { threads }) {
    const { batchSize, optimizer, learningRateSchedule, rewire } = run.fit
    const topology = await findEquilibrium(run.network, run.data.train, {
      epochs,
      batchSize,
      optimizer,
      learningRateSchedule,
      threads,
      ...(rewire.type === 'rigl' ? { rewire } : {}),
    })
    return {
      ...run,
      network: { ...run.network, topology },
      notes: { ...run.notes, equilibrium: { cv: topology.cv } },
    }
  },
}

import { oneKind } from '../../validation.js'
import { type DenseTwin, denseTwin } from './dense-twin.js'
import { type Equilibrium, equilibrium } from './equilibrium.js'
import { type LearnedTopology, learnedTopology } from './learned-topology.js'
import type { PreparationContext, PreparationKind, PreparedRun } from './preparation.js'
import { type SpatiallyCoupled, spatiallyCoupled } from './spatially-coupled.js'

/** What can be done before a network is made. One file in this folder for each, and one entry in each list here. */
export type Preparation = DenseTwin | Equilibrium | LearnedTopology | SpatiallyCoupled

const kinds = { denseTwin, equilibrium, learnedTopology, spatiallyCoupled }

export const preparationSchema = oneKind(
  [denseTwin.schema, equilibrium.schema, learnedTopology.schema, spatiallyCoupled.schema],
  Object.keys(kinds).join(', '),
)

const kindOf = ({ type }: Preparation): PreparationKind<Preparation> =>
  kinds[type] as PreparationKind<Preparation>

/** Whether one of them trains a network. */
export const trains = (preparations: readonly Preparation[]): boolean =>
  preparations.some((preparation) => kindOf(preparation).trains)

/** Does the preparations in their order. @throws what a preparation throws */
export async function prepare(
  run: PreparedRun,
  preparations: readonly Preparation[],
  context: PreparationContext,
): Promise<PreparedRun> {
  let prepared = run
  for (const preparation of preparations) {
    prepared = await kindOf(preparation).prepare(prepared, preparation, context)
  }
  return prepared
}

import { z } from 'zod'
import { denseTwin as twinOf } from '../../model/dense-twin.js'
import { staticTopology } from '../../rewire/static.js'
import { object } from '../../validation.js'
import type { PreparationKind } from './preparation.js'

/** The control of equal size: the dense network that `denseTwin` makes of the sparse one, at each sparsity. */
export interface DenseTwin {
  readonly type: 'denseTwin'
}

/** Notes the widths of the twin's hidden layers. Nothing of it moves. */
export const denseTwin: PreparationKind<DenseTwin> = {
  schema: object({ type: z.literal('denseTwin') }),

  trains: false,

  async prepare(run) {
    const network = twinOf(run.network)
    const widths = network.layers.slice(0, -1).flatMap((layer) => ('outputs' in layer ? [layer.outputs] : []))
    const notes = { ...run.notes, denseTwin: { widths } }
    return { ...run, network, fit: { ...run.fit, rewire: staticTopology() }, notes }
  },
}

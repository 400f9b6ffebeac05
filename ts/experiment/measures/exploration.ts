import { z } from 'zod'
import { object } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import type { MeasureKind } from './measure.js'

/** R_s: the share of the positions that ever had a connection. The rule of the run must have `trackExploration: true`. */
export interface ExplorationMeasure {
  readonly type: 'exploration'
}

/** After training; null where it was not followed. */
export interface Exploration {
  /** Over all sparse layers: `network.exploration()`. */
  readonly all: number | null
  readonly layers: readonly { readonly layer: number; readonly exploration: number }[]
}

/** Gives Exploration. In tables: that of all sparse layers. */
export const exploration: MeasureKind<ExplorationMeasure> = {
  title: 'R_s',
  schema: object({ type: z.literal('exploration') }),

  watch: ({ network }) => ({
    async end() {
      const layers = network
        .summary()
        .flatMap(({ exploration }, layer) => (exploration === null ? [] : [{ layer, exploration }]))
      return { all: network.exploration(), layers } satisfies Exploration as Json
    },
  }),

  summary: (value) => (value as unknown as Exploration).all,
}

import { z } from 'zod'
import { gradientConcentration as concentrationOf } from '../../analysis/concentration.js'
import { fanCounts, spread } from '../../analysis/fan.js'
import { object, whole } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import type { MeasureKind } from './measure.js'

/** How far gradients gather at hubs: see `gradientConcentration`. */
export interface GradientConcentrationMeasure {
  readonly type: 'gradientConcentration'
  /** Training samples that are looked at. Default 1024, or all where there are fewer. */
  readonly samples: number
}

/** Before and after training, each sparse layer: the concentration, null where it has none, and the CV of its fan-in. */
export interface ConcentrationLook {
  readonly when: 'start' | 'end'
  readonly layers: readonly {
    readonly layer: number
    readonly concentration: number | null
    readonly cv: number
  }[]
}

/** Gives ConcentrationLook[]. In tables: the mean over the sparse layers before training, where hubs are the profile's own. */
export const gradientConcentration: MeasureKind<GradientConcentrationMeasure> = {
  title: 'gradient concentration',
  schema: object({ type: z.literal('gradientConcentration'), samples: whole({ from: 1 }).default(1024) }),

  watch({ network, data, threads }, { samples }) {
    const looks: ConcentrationLook[] = []
    const look = async (when: ConcentrationLook['when']) => {
      const used = Math.min(samples, data.train.samples)
      const gradients = await network.gradients(data.train, { samples: used, threads })
      const layers = gradients.flatMap((one) =>
        one.pattern === null
          ? []
          : [
              {
                layer: one.layer,
                concentration: concentrationOf(one),
                cv: spread(fanCounts(one.pattern).fanIn).cv,
              },
            ],
      )
      looks.push({ when, layers })
    }
    return {
      start: () => look('start'),
      async end() {
        await look('end')
        return looks as unknown as Json
      },
    }
  },

  summary(value) {
    const layers = (value as unknown as readonly ConcentrationLook[])[0]?.layers ?? []
    const known = layers.flatMap(({ concentration }) => concentration ?? [])
    return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length
  },
}

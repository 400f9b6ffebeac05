import { z } from 'zod'
import { gradientConcentration as concentrationOf } from '../../analysis/concentration.js'
import { fanCounts, spread } from '../../analysis/fan.js'
import type { LayerGradients } from '../../model/gradients.js'
import { object, whole } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import type { MeasureKind } from './measure.js'

/** How far gradients gather at hubs: see `gradientConcentration`. */
export interface GradientConcentrationMeasure {
  readonly type: 'gradientConcentration'
  /** Training samples that are looked at. Default 1024, or all where there are fewer. */
  readonly samples: number
}

/** Before and after training, each sparse layer. */
export interface ConcentrationLook {
  readonly when: 'start' | 'end'
  readonly layers: readonly LayerConcentration[]
}

/** A sparse layer of that look. */
export interface LayerConcentration {
  /** Index in `layers` of the description. */
  readonly layer: number
  /** Of the connections, as `gradientConcentration` gives it; null where there is none. */
  readonly concentration: number | null
  /**
   * Of the neurons: the summed |gradient| of a neuron among the tenth with most fan-in over that of a neuron of the layer, both in
   * the mean. The other reading of a concentration at hubs: there a neuron counts the more, the more connections it has.
   */
  readonly perNeuron: number | null
  /** Coefficient of variation of fan-in. */
  readonly cv: number
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
      const layers = gradients.flatMap(lookAt)
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

function lookAt(gradients: LayerGradients): LayerConcentration[] {
  const { layer, pattern } = gradients
  if (pattern === null) return []
  const { fanIn } = fanCounts(pattern)
  const { cv, mean } = spread(fanIn)
  const concentration = concentrationOf(gradients)
  const hubs = [...fanIn].sort((a, b) => b - a).slice(0, Math.ceil(fanIn.length / 10))
  const perNeuron = concentration === null ? null : (concentration * spread(hubs).mean) / mean
  return [{ layer, concentration, perNeuron, cv }]
}

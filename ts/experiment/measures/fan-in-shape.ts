import { z } from 'zod'
import { fanCounts, spread } from '../../analysis/fan.js'
import type { Network } from '../../model/network.js'
import { patternOf } from '../../model/pattern.js'
import { object } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import type { MeasureKind } from './measure.js'

/** The distribution of fan-in of each sparse layer, so that networks can be compared by `fanDistance`. */
export interface FanInShapeMeasure {
  readonly type: 'fanInShape'
}

export interface LayerShape {
  /** Index in `layers` of the description. */
  readonly layer: number
  readonly cv: number
  /** 65 quantiles of fan-in, from the least to the largest; shares between them are equal. */
  readonly quantiles: readonly number[]
}

export interface FanInShapes {
  readonly before: readonly LayerShape[]
  readonly after: readonly LayerShape[]
}

const quantiles = 65

/** Gives FanInShapes, before training and after it. In tables: the mean CV of fan-in of the sparse layers after training. */
export const fanInShape: MeasureKind<FanInShapeMeasure> = {
  title: 'fan-in CV',
  schema: object({ type: z.literal('fanInShape') }),

  watch({ network }) {
    let before: LayerShape[] = []
    return {
      async start() {
        before = await shapesOf(network)
      },
      async end() {
        return { before, after: await shapesOf(network) } satisfies FanInShapes as unknown as Json
      },
    }
  },

  summary(value) {
    const { after } = value as unknown as FanInShapes
    return after.length === 0 ? null : after.reduce((sum, { cv }) => sum + cv, 0) / after.length
  },
}

async function shapesOf(network: Network): Promise<LayerShape[]> {
  const snapshot = await network.snapshot()
  return snapshot.description.layers.flatMap(({ type }, layer) => {
    if (type !== 'sparse') return []
    const { fanIn } = fanCounts(patternOf(snapshot, layer))
    const sorted = [...fanIn].sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!
    return [
      {
        layer,
        cv: spread(fanIn).cv,
        quantiles: Array.from({ length: quantiles }, (_, i) => at(i / (quantiles - 1))),
      },
    ]
  })
}

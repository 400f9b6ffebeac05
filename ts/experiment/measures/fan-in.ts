import { z } from 'zod'
import { fanCounts, spread } from '../../analysis/fan.js'
import type { Network } from '../../model/network.js'
import { layerPatterns } from '../../model/pattern.js'
import { object, whole } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import type { MeasureKind } from './measure.js'

/** How connections are spread over the neurons of each sparse layer. */
export interface FanInMeasure {
  readonly type: 'fanIn'
  /** Epochs between two looks; there is one before training and one after it in any case. Default: none between. */
  readonly every?: number | undefined
}

/** A look at the network: the step that it was taken at, and each sparse layer's fan-in in numbers. */
export interface FanInLook {
  readonly step: number
  readonly layers: readonly {
    /** Index in `layers` of the description. */
    readonly layer: number
    readonly cv: number
    readonly min: number
    readonly median: number
    readonly max: number
    readonly mean: number
    /** Neurons without any connection. */
    readonly none: number
  }[]
}

/** Gives FanInLook[], from before training to after it. In tables: the mean CV of the sparse layers after training. */
export const fanIn: MeasureKind<FanInMeasure> = {
  title: 'fan-in CV',
  schema: object({ type: z.literal('fanIn'), every: whole({ from: 1 }).optional() }),

  watch({ network, epochs }, { every }) {
    const looks: FanInLook[] = []
    const look = async () => {
      looks.push(await lookAt(network))
    }
    return {
      start: look,
      async epoch({ epoch }) {
        if (every !== undefined && epoch % every === 0 && epoch < epochs) await look()
      },
      async end() {
        await look()
        return looks as unknown as Json
      },
    }
  },

  summary(value) {
    const last = (value as unknown as readonly FanInLook[]).at(-1)
    if (last === undefined || last.layers.length === 0) return null
    return last.layers.reduce((sum, { cv }) => sum + cv, 0) / last.layers.length
  },
}

async function lookAt(network: Network): Promise<FanInLook> {
  const snapshot = await network.snapshot()
  const layers = layerPatterns(snapshot).flatMap((pattern, layer) => {
    if (pattern === null) return []
    return [{ layer, ...spread(fanCounts(pattern).fanIn) }]
  })
  return { step: snapshot.counters.step, layers }
}

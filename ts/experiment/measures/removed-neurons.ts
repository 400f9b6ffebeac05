import { z } from 'zod'
import { deadNeurons, hasWeights } from '../../analysis/dead-neurons.js'
import { fanCounts } from '../../analysis/fan.js'
import type { Network } from '../../model/network.js'
import { patternOf } from '../../model/pattern.js'
import { object } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import type { MeasureKind } from './measure.js'

/** Hidden neurons that carry nothing: removed by pruning, or left without connections by chance. */
export interface RemovedNeuronsMeasure {
  readonly type: 'removedNeurons'
}

/** After training: hidden neurons, and how many of them have no connection in or none out. */
export interface RemovedNeurons {
  readonly hidden: number
  readonly removed: number
  /** The same for each hidden layer with weights. */
  readonly layers: readonly { readonly layer: number; readonly neurons: number; readonly removed: number }[]
}

/** Gives RemovedNeurons. In tables: the share of the hidden neurons that is gone. */
export const removedNeurons: MeasureKind<RemovedNeuronsMeasure> = {
  title: 'neurons removed',
  schema: object({ type: z.literal('removedNeurons') }),

  watch: ({ network }) => ({ end: async () => (await count(network)) as unknown as Json }),

  summary(value) {
    const { hidden, removed } = value as unknown as RemovedNeurons
    return hidden === 0 ? null : removed / hidden
  },
}

async function count(network: Network): Promise<RemovedNeurons> {
  const snapshot = await network.snapshot()
  const records = network.summary().map((layer, index) => {
    const fans =
      layer.type === 'sparse' ? fanCounts(patternOf(snapshot, index)) : { fanIn: null, fanOut: null }
    return { ...layer, ...fans }
  })
  const layers = deadNeurons(records).flatMap((removed, layer) => {
    const record = records[layer]!
    return removed === null || !hasWeights(record) ? [] : [{ layer, neurons: record.outputs, removed }]
  })
  const sum = (pick: (layer: (typeof layers)[number]) => number): number =>
    layers.reduce((total, layer) => total + pick(layer), 0)
  return { hidden: sum(({ neurons }) => neurons), removed: sum(({ removed }) => removed), layers }
}

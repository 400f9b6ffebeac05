import { z } from 'zod'
import { deadNeurons } from '../../analysis/dead-neurons.js'
import { fanCounts } from '../../analysis/fan.js'
import type { Network } from '../../model/network.js'
import { layerPatterns } from '../../model/pattern.js'
import { object } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import type { MeasureKind } from './measure.js'

/** Hidden neurons that neuron pruning has removed, or that carry nothing. */
export interface RemovedNeuronsMeasure {
  readonly type: 'removedNeurons'
}

/** After training, of the hidden layers with weights. */
export interface RemovedNeurons {
  readonly layers: readonly {
    /** Index in `layers` of the description. */
    readonly layer: number
    readonly neurons: number
    /** Taken away by a rule. */
    readonly removed: number
    /** Without a connection in or without one out, those taken away included. */
    readonly dead: number
  }[]
}

/** Gives RemovedNeurons. In tables: the share of the hidden neurons that a rule has removed. */
export const removedNeurons: MeasureKind<RemovedNeuronsMeasure> = {
  title: 'neurons removed',
  schema: object({ type: z.literal('removedNeurons') }),

  watch: ({ network }) => ({ end: async () => (await count(network)) as unknown as Json }),

  summary(value) {
    const { layers } = value as unknown as RemovedNeurons
    const neurons = layers.reduce((sum, layer) => sum + layer.neurons, 0)
    return neurons === 0 ? null : layers.reduce((sum, { removed }) => sum + removed, 0) / neurons
  },
}

async function count(network: Network): Promise<RemovedNeurons> {
  const patterns = layerPatterns(await network.snapshot())
  const records = network.summary().map((layer, index) => {
    const pattern = patterns[index] ?? null
    return { ...layer, ...(pattern === null ? { fanIn: null, fanOut: null } : fanCounts(pattern)) }
  })
  const layers = deadNeurons(records).flatMap((dead, layer) => {
    if (dead === null) return []
    const { outputs: neurons, removedNeurons: removed } = records[layer]!
    return [{ layer, neurons, removed, dead }]
  })
  return { layers }
}

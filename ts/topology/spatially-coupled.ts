import { z } from 'zod'
import { type Clash, freeze, MAX_WIDTH, object, parse, real, together, whole } from '../validation.js'
import { type LayerDensity, layerDensitySchema } from './shared.js'

/** The topology that `spatiallyCoupled` makes. */
export interface SpatiallyCoupledTopology {
  readonly type: 'spatiallyCoupled'
  readonly importance: readonly number[]
  readonly blocks: number
  readonly window: number
  readonly density: LayerDensity
}

/** Options of `spatiallyCoupled`. */
export interface SpatiallyCoupledOptions {
  /** One number >= 0 for each input of the network, not all 0; `featureImportance` finds them in a data set. */
  importance: readonly number[]
  /** Blocks that inputs and neurons are cut into, at most as many as any layer has of either. */
  blocks: number
  /** Blocks of inputs that a block of neurons connects to, 1 to `blocks`. */
  window: number
  /** How the layers share the weights. Default 'erdosRenyi'. */
  density?: LayerDensity
}

const width = whole({ from: 1, to: MAX_WIDTH })
const shape = {
  importance: z
    .array(real({ from: 0 }), { error: 'a list of a number >= 0 for each input' })
    .refine((list) => list.some((value) => value > 0), {
      error: 'numbers >= 0 of which one at least is above 0',
    })
    .readonly(),
  blocks: width,
  window: width,
  density: layerDensitySchema.default('erdosRenyi'),
}

export const spatiallyCoupledSchema = together(
  object({ type: z.literal('spatiallyCoupled'), ...shape }),
  clashOfWindow,
)
const spatiallyCoupledOptions = together(object(shape), clashOfWindow)

/**
 * Connections by the importance of the inputs, in a band ("Spatially-Coupled Neural Network Architectures", 2019, after
 * spatially coupled LDPC codes). Inputs in falling order of importance are cut into blocks of equal size, within one, and
 * so are the neurons in their own order; block b of the neurons connects only to blocks b .. b + window - 1 of the inputs,
 * as far as these exist. The connections of the layer are shared out among the blocks of inputs in proportion to their
 * total importance, exactly; what a block cannot hold goes to the others. Inside, they are drawn at random. The sparse
 * layers after it are banded the same way with equal importance. The first layer must be sparse. With block shapes all
 * of this counts in block rows and block columns, and importance is summed over a block column.
 *
 * The paper's text was not at hand: what it leaves open here (the cut, the border, the draw) is ours.
 *
 * @throws ERR_ESPALIER_OPTION; and `new Network` where importance is not as long as its inputs, where a layer has fewer
 * inputs or neurons than blocks, and where the band cannot hold the connections, naming what it can
 */
export function spatiallyCoupled(options: SpatiallyCoupledOptions): SpatiallyCoupledTopology {
  return freeze({ type: 'spatiallyCoupled', ...parse('spatiallyCoupled', spatiallyCoupledOptions, options) })
}

function clashOfWindow({ window, blocks }: { window: number; blocks: number }): Clash<'window'> | null {
  return window <= blocks
    ? null
    : { option: 'window', reason: `allowed: at most as many as blocks, ${blocks}` }
}

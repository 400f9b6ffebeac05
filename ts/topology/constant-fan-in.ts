import { z } from 'zod'
import { freeze, object, parse } from '../validation.js'
import { type LayerDensity, layerDensitySchema } from './shared.js'

/** The topology that `constantFanIn` makes. */
export interface ConstantFanInTopology {
  readonly type: 'constantFanIn'
  readonly density: LayerDensity
}

/** Options of `constantFanIn`. */
export interface ConstantFanInOptions {
  /** How the layers share the weights. Default 'erdosRenyi'. */
  density?: LayerDensity
}

const shape = { density: layerDensitySchema.default('erdosRenyi') }

export const constantFanInSchema = object({ type: z.literal('constantFanIn'), ...shape })
const constantFanInOptions = object(shape)

/**
 * The same fan-in for every neuron of a layer, its inputs drawn at random without replacement (as SRigL keeps it; Lasby
 * et al., 2024). Where B connections do not divide among n neurons, neuron i gets floor((i + 1) B / n) - floor(i B / n),
 * so that fan-in differs by one at most and the number of connections is exact; that rule is ours. With block shapes
 * neurons are block rows.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function constantFanIn(options: ConstantFanInOptions = {}): ConstantFanInTopology {
  return freeze({ type: 'constantFanIn', ...parse('constantFanIn', constantFanInOptions, options) })
}

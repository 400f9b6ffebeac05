import { z } from 'zod'
import {
  type Initialization,
  type InitializationOption,
  initializationSchema,
} from '../model/initialization.js'
import { freeze, object, parse, real } from '../validation.js'
import { type MovingOptions, type MovingRule, movingShape, over } from './shared.js'

/** The rule that `cht` and `chts` make. */
export interface ChtRule extends MovingRule {
  readonly type: 'cht'
  readonly temperature: number | null
  readonly stopAt: number | null
  readonly initialization: Initialization
}

/** Defaults: every 'epoch', fraction 0.3, until 1, fractionSchedule 'constant'. */
export interface ChtOptions extends MovingOptions {
  /**
   * null: the links with the largest scores grow (CHT). A number, 0.2 to 10: links are drawn in proportion to
   * score^(1 / temperature), without replacement (CHTs). Default null.
   */
  temperature?: number | null
  /**
   * A layer moves no more once so large a share of what it dropped has grown again in the same place, 0 < stopAt <= 1;
   * the paper's is 0.9. Default null: it never settles.
   */
  stopAt?: number | null
  /** Value of a new connection. Default 'zeros'. */
  initialization?: InitializationOption
}

const shape = {
  ...movingShape({ every: 'epoch', fraction: 0.3, until: 1, fractionSchedule: 'constant' }),
  temperature: real({ from: 0.2, to: 10 }).nullable().default(null),
  stopAt: real({ above: 0, to: 1 }).nullable().default(null),
  initialization: initializationSchema.prefault('zeros'),
}

export const chtSchema = object({ type: z.literal('cht'), ...shape })
const chtOptions = object(shape)

/**
 * Cannistraci-Hebb training (CHT: Zhang et al., ICLR 2024, "Epitopological learning and Cannistraci-Hebb network shape
 * intelligence brain-inspired theory for ultra-sparse advantage in deep learning"): drop the connections smallest in
 * magnitude, and grow where link prediction on the topology alone, without gradients, finds a link most likely. The
 * score is CH3-L3: for an input u and an output v of the layer, seen as a bipartite graph of what was not dropped, the
 * sum over all paths u - y - x - v of 1 / sqrt((1 + e(y)) (1 + e(x))), e counting the links of a node on the path that
 * lead neither to u, nor to v, nor to another node of such paths. Connections that grow again in the same place keep
 * their weight. With blocks the graph is one of blocks.
 *
 * Work at a rewiring: the paths of length three, connections x fan-in x fan-out of a layer, shared among threads; a few
 * numbers for each neuron and thread of memory. So it suits ultra-sparse layers: 1024 x 1024 at 90 % is 1.1e9 paths, at
 * 99 % 1.1e6.
 *
 * Left out of the papers: starting from the correlation of the inputs, and taking neurons without inputs or outputs out
 * of the network. Ours: where fewer links have a score than are to grow, the rest is drawn uniformly, so that the number
 * of connections is exact.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function cht(options: ChtOptions = {}): ChtRule {
  return freeze({ type: 'cht', ...parse('cht', chtOptions, options) })
}

/**
 * CHTs, the soft rule (Zhang et al., 2025, "Brain network science modelling of sparse neural networks enables
 * Transformers and LLMs to perform as fully connected"): CHT that draws links in proportion to their scores, with
 * temperature 1. Left out of the paper: its approximate score, drawing what is dropped, and its start from receptive
 * fields. Whatever is given replaces the defaults.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export function chts(options: ChtOptions = {}): ChtRule {
  return cht(over<ChtOptions>({ temperature: 1 }, options))
}

import { z } from 'zod'
import { blockSchema } from '../model/block.js'
import { type LayerPattern, layerPatterns } from '../model/pattern.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import { instance, MAX_WIDTH, object, parse, whole } from '../validation.js'

/** The topology that `savedTopology` makes. */
export interface SavedTopology {
  readonly type: 'saved'
  /** Of each sparse layer. A network's description has none: its connections are in its checkpoint already. */
  readonly patterns?: readonly LayerPattern[] | undefined
}

const isOffsets = (value: unknown): value is BigInt64Array => value instanceof BigInt64Array
const isIndices = (value: unknown): value is Int32Array => value instanceof Int32Array
const width = whole({ from: 1, to: MAX_WIDTH })

const patternsSchema = z
  .array(
    object({
      inputs: width,
      outputs: width,
      block: blockSchema,
      rowOffsets: instance(isOffsets, 'a BigInt64Array'),
      columnIndices: instance(isIndices, 'an Int32Array'),
    }),
    { error: 'a snapshot, or the patterns of the sparse layers' },
  )
  .min(1, { error: 'the pattern of one sparse layer or more' })

export const savedSchema = object({
  type: z.literal('saved'),
  patterns: patternsSchema.readonly().optional(),
})

/**
 * The connections of another network, with weights drawn afresh: of a snapshot (`network.snapshot()`, or
 * `readCheckpoint(file)`), or a list of patterns, one for each sparse layer (`network.pattern(i)`). They decide how many
 * connections there are: the network is given no `sparsity`, and its sparse layers have none of their own. Sizes and
 * block shapes must be those of its layers.
 *
 * @throws ERR_ESPALIER_OPTION; and `new Network` where the patterns do not fit its layers, ERR_ESPALIER_DATA where one is
 * not a pattern at all
 */
export function savedTopology(patterns: NetworkSnapshot | readonly LayerPattern[]): SavedTopology {
  const list =
    patterns !== null && typeof patterns === 'object' && 'tensors' in patterns
      ? layerPatterns(patterns).filter((pattern) => pattern !== null)
      : patterns
  const checked = parse('savedTopology', object({ patterns: patternsSchema }), { patterns: list }).patterns
  // Typed arrays cannot be frozen.
  return Object.freeze({ type: 'saved', patterns: Object.freeze(checked.map((one) => Object.freeze(one))) })
}

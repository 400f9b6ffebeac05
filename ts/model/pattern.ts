import { EspalierError } from '../errors.js'
import type { Block } from './block.js'
import type { NetworkSnapshot } from './snapshot.js'

/** Which connections of a sparse layer exist, as block CSR over outputs x inputs. */
export interface LayerPattern {
  readonly inputs: number
  readonly outputs: number
  /** `[r, c]`: an entry stands for r outputs x c inputs. */
  readonly block: Block
  /** ceil(outputs / r) + 1 offsets into columnIndices. */
  readonly rowOffsets: BigInt64Array
  /** Block columns of each block row, ascending; block column j covers inputs c x j .. c x j + c - 1. */
  readonly columnIndices: Int32Array
}

/** The patterns of a snapshot: one per layer of the network, null where that layer is not sparse. */
export function layerPatterns(snapshot: NetworkSnapshot): (LayerPattern | null)[] {
  return snapshot.description.layers.map(({ type }, index) =>
    type === 'sparse' ? patternOf(snapshot, index) : null,
  )
}

type Patterned = Pick<NetworkSnapshot, 'description' | 'tensors'>

/** The pattern of one sparse layer of a snapshot. @throws ERR_ESPALIER_OPTION when that layer is not sparse */
export function patternOf(snapshot: Patterned, index: number): LayerPattern {
  const { layers } = snapshot.description
  const layer = layers[index]
  if (layer?.type !== 'sparse') {
    const sparse = layers.flatMap(({ type }, i) => (type === 'sparse' ? [i] : []))
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `pattern: layer index is ${String(index)}, which is ${layer === undefined ? 'no layer' : `a ${layer.type} layer`}; ` +
        `allowed: ${sparse.length === 0 ? 'none, no layer is sparse' : sparse.join(', ')}`,
    )
  }
  let inputs = snapshot.description.inputs
  for (const before of layers.slice(0, index)) if ('outputs' in before) inputs = before.outputs
  return {
    inputs,
    outputs: layer.outputs,
    block: layer.block,
    rowOffsets: tensorOf(snapshot, `layers.${index}.crow_indices`, BigInt64Array),
    columnIndices: tensorOf(snapshot, `layers.${index}.col_indices`, Int32Array),
  }
}

/** The data of a tensor that every snapshot of such a network has. */
export function tensorOf<T>(snapshot: Pick<NetworkSnapshot, 'tensors'>, name: string, type: new () => T): T {
  const data = snapshot.tensors.find((candidate) => candidate.name === name)?.data
  if (data instanceof type) return data
  throw new EspalierError('ERR_ESPALIER_INTERNAL', `the snapshot has no tensor ${name} of ${type.name}`)
}

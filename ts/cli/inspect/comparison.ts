import {
  fanCounts,
  fanDistance,
  type LayerPattern,
  layerPatterns,
  Network,
  sameGrid,
  topologyDistance,
} from '../../index.js'
import { usage } from '../console.js'

/** A sparse layer beside the one in the same place of another network. */
export interface LayerComparison {
  /** Share of the other's connections that this one lacks; null where the sizes differ. */
  moved: number | null
  /** Jaccard distance of the connections; null where the sizes differ. */
  jaccard: number | null
  /** Wasserstein-1 distance of the fan-ins, each over its mean. */
  fanIn: number
}

type Patterns = readonly (LayerPattern | null)[]

/**
 * Compares with the network as its description and seed laid it. Of a saved topology a checkpoint does not hold the first
 * connections: nothing is compared then.
 */
export async function compareWithStart(own: Patterns, network: Network): Promise<(LayerComparison | null)[]> {
  if (network.description.topology.type === 'saved') return own.map(() => null)
  using start = new Network({ ...network.description, device: 'cpu' })
  return compare(own, layerPatterns(await start.snapshot()))
}

/** Compares with a network of another file. @throws ERR_ESPALIER_OPTION where there is nothing to compare */
export async function compareWithFile(own: Patterns, file: string): Promise<(LayerComparison | null)[]> {
  using other = await Network.load(file, { device: 'cpu' })
  const layers = compare(own, layerPatterns(await other.snapshot()))
  if (layers.some((layer) => layer !== null)) return layers
  throw usage(`--against ${file}: the networks have no sparse layer in the same place`)
}

function compare(own: Patterns, others: Patterns): (LayerComparison | null)[] {
  return own.map((pattern, index) => {
    const other = others[index] ?? null
    if (pattern === null || other === null) return null
    const distance = sameGrid(other, pattern) ? topologyDistance(other, pattern) : null
    return {
      moved: distance?.moved ?? null,
      jaccard: distance?.jaccard ?? null,
      fanIn: fanDistance(fanCounts(other).fanIn, fanCounts(pattern).fanIn),
    }
  })
}

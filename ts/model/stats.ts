import type { NativeLayerSummary, NativeMemory, NativePlan } from '../native/surface.js'
import type { Progress } from './snapshot.js'

/** What a network is and holds at one moment, in plain JSON. */
export interface NetworkStats {
  /** Bytes outside the JavaScript heap by kind, as `memory()` tells them, and their sum. */
  readonly bytes: Readonly<NativeMemory> & { readonly total: number }
  /** Weights that exist, of sparse and dense layers together. */
  readonly connections: number
  /** All trained numbers: the connections, and biases, gains, shifts and parameters of activations. */
  readonly parameters: number
  /** Share of the sparse layers' positions without a connection, 0..1; 0 where no layer is sparse. */
  readonly sparsity: number
  /** Hidden neurons that rewiring rules have removed. */
  readonly removedNeurons: number
  /** How the device carries out the products, as `plan()` tells it. */
  readonly plan: NativePlan
  /** How far training has come. */
  readonly progress: Progress
  /** Whether a fit is running. */
  readonly training: boolean
}

/** The sums over a network's layers. */
export function statsOf(
  layers: readonly NativeLayerSummary[],
  memory: NativeMemory,
): Omit<NetworkStats, 'plan' | 'progress' | 'training'> {
  const sparse = layers.filter(({ type }) => type === 'sparse')
  const positions = sum(sparse, ({ inputs, outputs }) => inputs * outputs)
  return {
    bytes: { ...memory, total: sum(Object.values(memory), (bytes) => bytes) },
    connections: sum(layers, ({ connections }) => connections),
    parameters: sum(layers, ({ parameters }) => parameters),
    sparsity: positions === 0 ? 0 : 1 - sum(sparse, ({ connections }) => connections) / positions,
    removedNeurons: sum(layers, ({ removedNeurons }) => removedNeurons),
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}

/** R_s over all layers for which it is followed; null where it is for none. */
export function exploredShare(layers: readonly NativeLayerSummary[]): number | null {
  let [explored, all] = [0, 0]
  for (const { inputs, outputs, exploration } of layers) {
    if (exploration === null) continue
    explored += exploration * inputs * outputs
    all += inputs * outputs
  }
  return all === 0 ? null : explored / all
}

import path from 'node:path'
import type { Test } from 'tap'
import {
  type Dataset,
  Network,
  type NetworkOptions,
  type NetworkSnapshot,
  sgd,
  writeCheckpoint,
} from '../../lib/index.js'

/** So small that no weight of a usual size changes by it: what moves is connections alone. */
export const still = sgd({ learningRate: 1e-30, momentum: 0 })

/** Weights of a layer, a row for each output; null where there is no connection. */
export type Weights = (number | null)[][]

/** The tensors of plain CSR. */
function csr(rows: Weights) {
  const offsets = [0n]
  const columns: number[] = []
  for (const row of rows) {
    row.forEach((weight, column) => {
      if (weight !== null) columns.push(column)
    })
    offsets.push(BigInt(columns.length))
  }
  return {
    crow_indices: { shape: [offsets.length], data: BigInt64Array.from(offsets) },
    col_indices: { shape: [columns.length], data: Int32Array.from(columns) },
    values: {
      shape: [columns.length],
      data: Float32Array.from(rows.flat().filter((weight) => weight !== null)),
    },
  }
}

/** A network whose layers, by their index, have these weights; every block is 1 x 1. */
export async function crafted(
  t: Test,
  options: NetworkOptions,
  weights: Record<number, Weights>,
): Promise<Network> {
  const snapshot = await new Network({ device: 'cpu', ...options }).snapshot()
  const tensors = snapshot.tensors.map((tensor) => {
    const [, index, what] = tensor.name.split('.') as [string, string, string]
    const rows = weights[Number(index)]
    if (rows === undefined) return tensor
    if (what === 'weight') return { ...tensor, data: Float32Array.from(rows.flat() as number[]) }
    const own = csr(rows)
    return what in own ? { ...tensor, ...own[what as keyof typeof own] } : tensor
  })
  const file = path.join(t.testdir(), 'crafted.safetensors')
  await writeCheckpoint(file, { ...snapshot, tensors })
  return Network.load(file, { device: options.device ?? 'cpu' })
}

const tensorOf = <T>(snapshot: NetworkSnapshot, name: string) =>
  snapshot.tensors.find((tensor) => tensor.name === name)?.data as T | undefined

/** The weights of a sparse or dense layer of 1 x 1 blocks, as `crafted` takes them. */
export function weightsOf(snapshot: NetworkSnapshot, layer: number): Weights {
  const name = (what: string) => `layers.${layer}.${what}`
  const inputs = inputsOf(snapshot, layer)
  const offsets = tensorOf<BigInt64Array>(snapshot, name('crow_indices'))
  if (offsets === undefined) {
    const weight = tensorOf<Float32Array>(snapshot, name('weight'))!
    return Array.from({ length: weight.length / inputs }, (_, row) =>
      Array.from(weight.subarray(row * inputs, (row + 1) * inputs)),
    )
  }
  const columns = tensorOf<Int32Array>(snapshot, name('col_indices'))!
  const values = tensorOf<Float32Array>(snapshot, name('values'))!
  return Array.from({ length: offsets.length - 1 }, (_, row) => {
    const weights = new Array<number | null>(inputs).fill(null)
    for (let i = Number(offsets[row]); i < Number(offsets[row + 1]); i++) weights[columns[i]!] = values[i]!
    return weights
  })
}

/** Without what `still` adds. */
export function settled(weights: Weights): Weights {
  return weights.map((row) => row.map((weight) => (weight !== null && Math.abs(weight) < 1e-20 ? 0 : weight)))
}

function inputsOf({ description: { inputs, layers } }: NetworkSnapshot, layer: number): number {
  return layers.slice(0, layer).reduce((width, each) => ('outputs' in each ? each.outputs : width), inputs)
}

/** Which neurons of a layer were removed. */
export function removedOf(snapshot: NetworkSnapshot, layer: number): number[] {
  const removed = tensorOf<Int32Array>(snapshot, `layers.${layer}.rewire.removed`) ?? new Int32Array()
  return [...removed].flatMap((gone, neuron) => (gone === 0 ? [] : [neuron]))
}

/** One sample of a regression. */
export function oneSample(values: number[], targets: number[]): Dataset {
  return {
    name: 'one sample',
    samples: 1,
    features: values.length,
    values: Float32Array.from(values),
    targets: Float32Array.from(targets),
    outputs: targets.length,
    classes: 0,
  }
}

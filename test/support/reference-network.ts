import type { Dataset, NetworkDescription, NetworkSnapshot } from '../../lib/index.js'

/**
 * The same network in plain float64 loops over dense matrices: what the fast one is compared with.
 */
export interface Reference {
  description: NetworkDescription
  /** Every float tensor of the snapshot by name; weights of sparse layers in the order of their pattern. */
  parameters: Map<string, Float64Array>
  patterns: Map<number, { rows: number[]; columns: number[] }>
  /** What DropConnect multiplies each stored weight of a layer by; absent when not training. */
  factors?: Map<number, readonly number[]>
}

/** Places of the stored values of a block CSR layer, in storage order; padding has places beyond the layer. */
function placesOf(snapshot: NetworkSnapshot, layer: number, block: readonly [number, number]) {
  const tensor = (what: string) =>
    snapshot.tensors.find(({ name }) => name === `layers.${layer}.${what}`)!.data
  const offsets = Array.from(tensor('crow_indices') as BigInt64Array, Number)
  const blockColumns = tensor('col_indices') as Int32Array
  const rows: number[] = []
  const columns: number[] = []
  for (let row = 0; row + 1 < offsets.length; row++) {
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
      for (let i = 0; i < block[0]; i++) {
        for (let j = 0; j < block[1]; j++) {
          rows.push(row * block[0] + i)
          columns.push(blockColumns[entry]! * block[1] + j)
        }
      }
    }
  }
  return { rows, columns }
}

export function referenceOf(snapshot: NetworkSnapshot): Reference {
  const parameters = new Map<string, Float64Array>()
  const patterns = new Map<number, { rows: number[]; columns: number[] }>()
  for (const { name, data } of snapshot.tensors) {
    if (data instanceof Float32Array && name.split('.').length === 3)
      parameters.set(name, Float64Array.from(data))
  }
  snapshot.description.layers.forEach((layer, index) => {
    if (layer.type === 'sparse') patterns.set(index, placesOf(snapshot, index, layer.block))
  })
  return { description: snapshot.description, parameters, patterns }
}

function erf(x: number): number {
  // Series near zero, continued fraction far away: to about 1e-14.
  const a = Math.abs(x)
  let result: number
  if (a < 3) {
    let term = a
    let sum = a
    for (let n = 1; n < 200; n++) {
      term *= (-a * a) / n
      sum += term / (2 * n + 1)
    }
    result = (2 / Math.sqrt(Math.PI)) * sum
  } else {
    let fraction = 0
    for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction)
    result = 1 - Math.exp(-a * a) / ((a + fraction) * Math.sqrt(Math.PI))
  }
  return x < 0 ? -result : result
}

function activate(type: string, alpha: number, even: boolean, srelu: number[], z: number): number {
  const [leftThreshold = 0, leftSlope = 0, rightThreshold = 0, rightSlope = 0] = srelu
  switch (type) {
    case 'relu':
      return Math.max(z, 0)
    case 'leakyRelu':
      return z > 0 ? z : alpha * z
    case 'allRelu':
      return z > 0 ? z : (even ? -alpha : alpha) * z
    case 'srelu':
      if (z >= rightThreshold) return rightThreshold + rightSlope * (z - rightThreshold)
      return z > leftThreshold ? z : leftThreshold + leftSlope * (z - leftThreshold)
    case 'tanh':
      return Math.tanh(z)
    case 'sigmoid':
      return 1 / (1 + Math.exp(-z))
    case 'gelu':
      return z * 0.5 * (1 + erf(z / Math.SQRT2))
    case 'silu':
      return z / (1 + Math.exp(-z))
    default:
      return z
  }
}

/** keep(layer, feature) is what dropout multiplies an activation by; 1 when not training. */
export type Keep = (layer: number, feature: number) => number

function forward(reference: Reference, input: number[], keep: Keep): number[] {
  let x = input
  let hidden = 0
  reference.description.layers.forEach((layer, index) => {
    const get = (what: string) => reference.parameters.get(`layers.${index}.${what}`)
    const factors = reference.factors?.get(index)
    if (layer.type === 'dropout') {
      x = x.map((value, feature) => value * keep(index, feature))
    } else if (layer.type === 'layerNorm') {
      const mean = x.reduce((a, b) => a + b, 0) / x.length
      const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length
      const gain = get('gain')!
      const shift = get('shift')!
      x = x.map((value, i) => (gain[i]! * (value - mean)) / Math.sqrt(variance + layer.epsilon) + shift[i]!)
    } else {
      hidden++
      const z = new Array<number>(layer.outputs).fill(0)
      if (layer.type === 'sparse') {
        const { rows, columns } = reference.patterns.get(index)!
        const values = get('values')!
        values.forEach((weight, i) => {
          if (rows[i]! < layer.outputs && columns[i]! < x.length)
            z[rows[i]!]! += weight * (factors?.[i] ?? 1) * x[columns[i]!]!
        })
      } else {
        const weight = get('weight')!
        for (let o = 0; o < layer.outputs; o++) {
          for (let i = 0; i < x.length; i++) {
            const place = o * x.length + i
            z[o]! += weight[place]! * (factors?.[place] ?? 1) * x[i]!
          }
        }
      }
      const { type, alpha } = layer.activation
      const srelu = get('srelu')
      x = z.map((value, o) => {
        const own = srelu ? [0, 1, 2, 3].map((k) => srelu[k * layer.outputs + o]!) : []
        return activate(type, alpha, hidden % 2 === 0, own, value + (get('bias')?.[o] ?? 0))
      })
    }
  })
  return x
}

function rowsOf(dataset: Dataset): number[][] {
  return Array.from({ length: dataset.samples }, (_, i) =>
    Array.from(dataset.values.subarray(i * dataset.features, (i + 1) * dataset.features)),
  )
}

export function referenceOutputs(reference: Reference, dataset: Dataset): number[][] {
  return rowsOf(dataset).map((row) => forward(reference, row, () => 1))
}

function lossOf(reference: Reference, dataset: Dataset, sample: number, outputs: number[]): number {
  const { loss } = reference.description
  const target = (k: number) => {
    if (dataset.targets) return dataset.targets[sample * outputs.length + k]!
    if (outputs.length === 1) return dataset.labels![sample]!
    return dataset.labels![sample] === k ? 1 : 0
  }
  if (loss === 'softmaxCrossEntropy') {
    const top = Math.max(...outputs)
    const total = outputs.reduce((sum, y) => sum + Math.exp(y - top), 0)
    return Math.log(total) + top - outputs[dataset.labels![sample]!]!
  }
  const each = outputs.map((y, k) =>
    loss === 'squaredError'
      ? (y - target(k)) ** 2
      : Math.max(y, 0) - target(k) * y + Math.log1p(Math.exp(-Math.abs(y))),
  )
  return each.reduce((a, b) => a + b, 0) / outputs.length
}

/** Mean loss; keepOf gives each sample's dropout. */
export function referenceLoss(
  reference: Reference,
  dataset: Dataset,
  keepOf: (sample: number) => Keep = () => () => 1,
): number {
  const losses = rowsOf(dataset).map((row, i) =>
    lossOf(reference, dataset, i, forward(reference, row, keepOf(i))),
  )
  return losses.reduce((a, b) => a + b, 0) / dataset.samples
}

/** d loss / d parameter[index] by central differences. */
export function referenceSlope(
  reference: Reference,
  dataset: Dataset,
  name: string,
  index: number,
  keepOf?: (sample: number) => Keep,
): number {
  const values = reference.parameters.get(name)!
  const old = values[index]!
  const step = 1e-6
  values[index] = old + step
  const above = referenceLoss(reference, dataset, keepOf)
  values[index] = old - step
  const below = referenceLoss(reference, dataset, keepOf)
  values[index] = old
  return (above - below) / (2 * step)
}

import type { NativeMatrix } from '../../lib/native/kernels-surface.js'
import { addon } from '../../lib/native/loader.js'
import type {
  NativeData,
  NativeDescription,
  NativeFitSettings,
  NativeLayer,
  NativePlacement,
} from '../../lib/native/surface.js'

const native = addon()
export const { kernels, system, cuda, chooseDevice } = native

export const onProcessor: NativePlacement = { device: 'cpu', precision: 'float32', denseFallback: false }

/** The addon's network; on the processor where no test says otherwise, whatever else the machine has. */
export class Network extends native.Network {
  constructor(description: NativeDescription, placement = onProcessor) {
    super(description, placement)
  }
}

/** Numbers in 0..1 that are the same in every run (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296
  }
}

export function floats(length: number, draw: () => number): Float32Array {
  return Float32Array.from({ length }, () => draw() * 2 - 1)
}

export function blockColumns(matrix: NativeMatrix): number {
  return Math.ceil(matrix.columns / matrix.block[1])
}

/** Row and column in weights of every stored value, padding included, in the order of `values`. */
export function places(matrix: NativeMatrix): { row: number; column: number; real: boolean }[] {
  const [height, width] = matrix.block
  const result: { row: number; column: number; real: boolean }[] = []
  for (let blockRow = 0; blockRow + 1 < matrix.rowOffsets.length; blockRow++) {
    for (
      let entry = Number(matrix.rowOffsets[blockRow]);
      entry < Number(matrix.rowOffsets[blockRow + 1]);
      entry++
    ) {
      for (let i = 0; i < height * width; i++) {
        const row = blockRow * height + Math.floor(i / width)
        const column = matrix.columnIndices[entry]! * width + (i % width)
        result.push({ row, column, real: row < matrix.rows && column < matrix.columns })
      }
    }
  }
  return result
}

/** Ascending block positions of a matrix. */
export function positions(matrix: NativeMatrix): number[] {
  const result: number[] = []
  for (let row = 0; row + 1 < matrix.rowOffsets.length; row++) {
    for (let entry = Number(matrix.rowOffsets[row]); entry < Number(matrix.rowOffsets[row + 1]); entry++) {
      result.push(row * blockColumns(matrix) + matrix.columnIndices[entry]!)
    }
  }
  return result
}

/** A matrix of given block positions, with random values and zero padding. */
export function matrixAt(
  rows: number,
  columns: number,
  block: [number, number],
  at: readonly number[],
  draw: () => number = random(1),
): NativeMatrix {
  const blockRows = Math.ceil(rows / block[0])
  const width = Math.ceil(columns / block[1])
  const rowOffsets = new BigInt64Array(blockRows + 1)
  const sorted = [...at].sort((a, b) => a - b)
  for (const position of sorted) rowOffsets[Math.floor(position / width) + 1]!++
  for (let row = 0; row < blockRows; row++) rowOffsets[row + 1]! += rowOffsets[row]!
  const values = floats(sorted.length * block[0] * block[1], draw)
  const matrix: NativeMatrix = {
    rows,
    columns,
    block,
    rowOffsets,
    columnIndices: Int32Array.from(sorted, (position) => position % width),
    values,
  }
  places(matrix).forEach(({ real }, index) => {
    if (!real) values[index] = 0
  })
  return matrix
}

/** A matrix of plain CSR whose values are given row by row; null where there is no connection. */
export function matrixOf(rows: (number | null)[][]): NativeMatrix {
  const columns = rows[0]!.length
  const flat = rows.flat()
  const at = flat.flatMap((value, position) => (value === null ? [] : [position]))
  const matrix = matrixAt(rows.length, columns, [1, 1], at)
  matrix.values.set(flat.filter((value) => value !== null))
  return matrix
}

/** A random pattern of about `density`, where the first block row is full and the second one empty. */
export function raggedMatrix(
  rows: number,
  columns: number,
  block: [number, number],
  density: number,
  seed: number,
): NativeMatrix {
  const draw = random(seed)
  const width = Math.ceil(columns / block[1])
  const size = Math.ceil(rows / block[0]) * width
  const at: number[] = []
  for (let position = 0; position < size; position++) {
    const row = Math.floor(position / width)
    if (row === 0 || (row !== 1 && draw() < density)) at.push(position)
  }
  return matrixAt(rows, columns, block, at, draw)
}

export function sparseLayer(outputs: number, block: [number, number] = [1, 1]): NativeLayer {
  return {
    type: 'sparse',
    outputs,
    activation: { type: 'relu', alpha: 0 },
    bias: true,
    block,
    sparsity: null,
    initialization: { type: 'he', deviation: 0 },
    dropConnect: 0,
    masked: false,
  }
}

export function denseLayer(outputs: number): NativeLayer {
  return {
    type: 'dense',
    outputs,
    activation: { type: 'linear', alpha: 0 },
    bias: true,
    initialization: { type: 'he', deviation: 0 },
    dropConnect: 0,
  }
}

export function description(more: Partial<NativeDescription> = {}): NativeDescription {
  return {
    inputs: 20,
    layers: [sparseLayer(32), sparseLayer(24, [4, 4]), denseLayer(4)],
    sparsity: 0.7,
    topology: { type: 'erdosRenyi', epsilon: 0 },
    loss: 'softmaxCrossEntropy',
    seed: 3,
    ...more,
  }
}

export function settings(more: Partial<NativeFitSettings> = {}): NativeFitSettings {
  return {
    epochs: 2,
    batchSize: 16,
    optimizer: {
      type: 'sgd',
      learningRate: 0.05,
      weightDecay: 0,
      l1: 0,
      momentum: 0.9,
      nesterov: false,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
    },
    learningRateSchedule: {
      type: 'constant',
      every: 1,
      factor: 1,
      minimum: 0,
      rise: 0.3,
      start: 0.04,
      end: 0.0001,
      warmup: 0,
    },
    rewire: {
      type: 'rigl',
      options: null,
      every: 3,
      until: 1,
      fraction: 0.3,
      fractionSchedule: 'constant',
      minimumFraction: 0,
      prune: 'magnitude',
      initialization: { type: 'zeros', deviation: 0 },
      skipUpdate: true,
      neurons: null,
      trackExploration: false,
    },
    shuffle: true,
    threads: 1,
    resume: false,
    watched: null,
    minimumChange: 0,
    patience: 0,
    maxSteps: 0,
    maxSeconds: 0,
    checkpoints: { epochs: 0, steps: 0, seconds: 0, best: false },
    ...more,
  }
}

/** Samples whose class shows in every fourth feature; values on shared memory. */
export function samples(count = 100, features = 20): NativeData {
  const draw = random(9)
  const values = new Float32Array(new SharedArrayBuffer(count * features * 4))
  const labels = Int32Array.from({ length: count }, (_, i) => i % 4)
  for (let i = 0; i < values.length; i++) {
    const label = labels[Math.floor(i / features)]!
    values[i] = draw() * 2 - 1 + (i % 4 === label ? 1 : 0)
  }
  return { samples: count, features, values, labels, targets: null }
}

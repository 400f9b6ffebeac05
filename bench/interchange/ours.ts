/** Files that Espalier writes, and what is in them. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Dataset, NumberArray, NumpyArray } from '../../lib/index.js'
import { type Espalier, networksOf, noisyNetwork, noisySamples } from './networks.js'

const types = new Map<NumberArray['constructor'], string>([
  [Uint8Array, 'u1'],
  [Int8Array, 'i1'],
  [Uint16Array, 'u2'],
  [Int16Array, 'i2'],
  [Uint32Array, 'u4'],
  [Int32Array, 'i4'],
  [BigUint64Array, 'u8'],
  [BigInt64Array, 'i8'],
  [Float32Array, 'f4'],
  [Float64Array, 'f8'],
])

/** An array as Python describes it. */
function describe({ shape, data, boolean }: NumpyArray) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const type = boolean ? 'b1' : types.get(data.constructor)
  return { type, shape, digest: createHash('sha256').update(bytes).digest('hex') }
}

function describeAll(arrays: Iterable<readonly [string, NumpyArray]>) {
  return Object.fromEntries([...arrays].map(([name, array]) => [name, describe(array)]))
}

/** Writes them all into a folder. @returns what check.py compares them with */
export async function writeOurs(espalier: Espalier, folder: string) {
  return {
    ...(await writeNetworks(espalier, folder)),
    ...(await writeArrays(espalier, folder)),
    events: await writeEvents(espalier, folder),
  }
}

async function writeNetworks(espalier: Espalier, folder: string) {
  const checkpoints: Record<string, unknown> = {}
  const matrices: Record<string, unknown> = {}
  const models: string[] = []
  for (const [name, options] of Object.entries(networksOf(espalier))) {
    using network = await noisyNetwork(espalier, options)
    const snapshot = await network.snapshot()
    await network.save(join(folder, `${name}.safetensors`))
    checkpoints[name] = describeAll(snapshot.tensors.map((tensor) => [tensor.name, tensor]))
    for (const sparse of [false, true]) {
      const model = `${name}${sparse ? '.sparse' : ''}.onnx`
      await espalier.exportOnnx(snapshot, join(folder, model), { sparse })
      models.push(model)
    }
    const files = await espalier.writeSparseLayers(join(folder, name), snapshot)
    for (const file of files) {
      const index = Number(/layers\.(\d+)\.npz$/.exec(file)![1])
      const matrix = espalier.layerMatrix(snapshot, index)
      matrices[`${name}/layers.${index}.npz`] = describe(dense(matrix))
    }
  }
  return { checkpoints, matrices, models }
}

function dense({
  shape,
  rowOffsets,
  columnIndices,
  values,
}: ReturnType<Espalier['layerMatrix']>): NumpyArray {
  const data = new Float32Array(shape[0] * shape[1])
  for (let row = 0; row < shape[0]; row++) {
    for (let i = Number(rowOffsets[row]); i < Number(rowOffsets[row + 1]); i++) {
      data[row * shape[1] + columnIndices[i]!] = values[i]!
    }
  }
  return { shape, data }
}

async function writeArrays({ writeNpy, writeNpz }: Espalier, folder: string) {
  const arrays: Record<string, NumpyArray> = {
    mask: { shape: [2, 2], data: Uint8Array.of(0, 1, 1, 0), boolean: true },
    number: { shape: [], data: Float64Array.of(1.5) },
    empty: { shape: [0, 3], data: new Float32Array(0) },
    'layers/0/weight': { shape: [1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  }
  for (const [kind, type] of types) {
    const big = type === 'i8' || type === 'u8'
    const data = new (kind as Float64ArrayConstructor)(3) as NumberArray
    for (let i = 0; i < 3; i++) data[i] = (big ? BigInt(i) : i) as never
    arrays[type] = { shape: [3], data }
  }
  await writeNpz(join(folder, 'arrays.npz'), arrays)
  await writeNpz(join(folder, 'compressed.npz'), arrays, { compress: true })
  await writeNpy(join(folder, 'one.npy'), arrays.mask!)
  return { arrays: describeAll(Object.entries(arrays)), one: describeAll([['one', arrays.mask!]]) }
}

async function writeEvents({ Network, dense, recordTensorBoard, rigl, sparse }: Espalier, folder: string) {
  const values = noisySamples(200, 6)
  const labels = Int32Array.from({ length: 200 }, (_, i) => (values[6 * i]! > 0 ? 1 : 0))
  const data: Dataset = { name: 'noise', samples: 200, features: 6, values, labels, classes: 2 }
  using network = new Network({ inputs: 6, layers: [sparse(30), dense(2)], sparsity: 0.5, device: 'cpu' })
  const run = network.fit(data, { epochs: 5, rewire: rigl({ every: 2 }), validation: data })
  const [{ history }] = await Promise.all([run, recordTensorBoard(run, network, join(folder, 'logs'))])
  const course = (value: (epoch: (typeof history)[number]) => number) =>
    history.map((epoch) => [epoch.step, value(epoch)])
  const { connections } = network.summary()[0]!
  return {
    scalars: {
      'loss/train': course(({ train }) => train.loss),
      'loss/validation': course(({ validation }) => validation.loss),
      'accuracy/train': course(({ train }) => train.accuracy!),
      'accuracy/validation': course(({ validation }) => validation.accuracy!),
      learning_rate: course(({ learningRate }) => learningRate),
      rewire_seconds: course(({ rewireSeconds }) => rewireSeconds),
      samples_per_second: course(({ samplesPerSecond }) => samplesPerSecond),
    },
    histograms: { 'layers.0/weights': connections, 'layers.0/fan-in': 30 },
  }
}

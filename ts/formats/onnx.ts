import { EspalierError } from '../errors.js'
import type { Network } from '../model/network.js'
import { isSnapshot, type NetworkSnapshot } from '../model/snapshot.js'
import { packageVersion } from '../native/version.js'
import { flag, instance, object, parse, readPath } from '../validation.js'
import { writeWhole } from './atomic-file.js'
import { GraphBuilder } from './onnx-builder.js'
import { modelFields } from './onnx-graph.js'
import { encodeMessage } from './protobuf.js'

/** Options of `exportOnnx`. */
export interface OnnxOptions {
  /**
   * Write the weights of sparse layers as `sparse_initializer` (COO): the file is as small as the network. Default
   * false: as dense tensors with zeros, which every runtime reads.
   */
  sparse?: boolean
}

const isSource = (value: unknown): value is Network | NetworkSnapshot =>
  isSnapshot(value) || typeof (value as Partial<Network> | null | undefined)?.snapshot === 'function'

const sourceSchema = object({ source: instance(isSource, 'a Network, or a snapshot of one') })
const onnxOptions = object({ sparse: flag().default(false) })

/** Of Protocol Buffers, for a message. */
const largestFile = 2 ** 31 - 1

/**
 * Writes a network as an ONNX model (opset 17) that computes what `predict` gives: probabilities for the two
 * cross-entropies, plain outputs for squared error; dropout and DropConnect do nothing. Its input is `input`, float32,
 * batch x inputs, and its output `output`, batch x outputs, for any batch.
 *
 * @param source a network, also while it trains, or a snapshot
 * @throws ERR_ESPALIER_FILE when the operating system refuses; ERR_ESPALIER_OPTION for a wrong option, and for a model
 * of 2 GiB or more, which no ONNX file can be
 */
export async function exportOnnx(
  source: Network | NetworkSnapshot,
  path: string,
  options: OnnxOptions = {},
): Promise<void> {
  const { source: checked } = parse('exportOnnx', sourceSchema, { source })
  const file = readPath('exportOnnx', path)
  const { sparse } = parse('exportOnnx', onnxOptions, options)
  const snapshot = isSnapshot(checked) ? checked : await checked.snapshot()
  checkSize(snapshot, sparse)
  const model = encodeMessage(...modelFields(new GraphBuilder(snapshot, sparse).graph(), packageVersion()))
  await writeWhole(file, (sink) => sink.write(model))
}

/** Before anything is allocated. */
function checkSize({ description, tensors }: NetworkSnapshot, sparse: boolean): void {
  let width = description.inputs
  let bytes = 2 ** 16 * description.layers.length
  for (const [index, layer] of description.layers.entries()) {
    if (!('outputs' in layer)) continue
    const stored = tensors.find(({ name }) => name === `layers.${index}.values`)?.data.length ?? 0
    bytes += layer.type === 'sparse' && sparse ? 12 * stored : 4 * width * layer.outputs
    bytes += 20 * layer.outputs
    width = layer.outputs
  }
  if (bytes <= largestFile) return
  const advice = sparse ? 'a smaller network' : 'sparse: true, or a smaller network'
  const message = `exportOnnx: the model would take ${bytes} bytes, and an ONNX file has less than 2 GiB; allowed: ${advice}`
  throw new EspalierError('ERR_ESPALIER_OPTION', message)
}

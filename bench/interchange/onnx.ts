/** ONNX Runtime on the models of Espalier. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { furthest } from './distance.js'
import { type Espalier, networksOf, noisyNetwork, noisySamples } from './networks.js'
import type { Report } from './theirs.js'

/** Further away than this a model does not compute the same. */
const tolerance = 1e-5
const samples = 200

/**
 * Outputs of a model by ONNX Runtime.
 *
 * @param folder in whose node_modules onnxruntime-node is
 */
export async function runOnnx(
  folder: string,
  model: string,
  values: Float32Array,
  width: number,
): Promise<Float32Array> {
  const { InferenceSession, Tensor } = createRequire(join(folder, 'package.json'))('onnxruntime-node')
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 })
  const input = new Tensor('float32', values, [values.length / width, width])
  const { output } = await session.run({ input })
  await session.release()
  return output.data
}

/** Runs every model, dense and sparse, in batches of 1 and more. @param runtime folder of onnxruntime-node */
export async function checkModels(
  espalier: Espalier,
  folder: string,
  runtime: string,
  report: Report,
): Promise<void> {
  for (const [name, options] of Object.entries(networksOf(espalier))) {
    using network = await noisyNetwork(espalier, options)
    const values = noisySamples(samples, options.inputs)
    const expected = await network.predict(values)
    for (const kind of ['', '.sparse']) {
      const model = join(folder, `${name}${kind}.onnx`)
      const far = furthest(await runOnnx(runtime, model, values, options.inputs), expected)
      const one = await runOnnx(runtime, model, values.slice(0, options.inputs), options.inputs)
      const alone = furthest(one, expected.slice(0, expected.length / samples))
      const most = Math.max(far, alone)
      report(
        `ONNX Runtime computes ${name}${kind}.onnx, ${most.toExponential(1)} away`,
        most < tolerance ? '' : 'too far',
      )
    }
  }
}

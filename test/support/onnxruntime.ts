import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../build/peers/onnxruntime/', import.meta.url))

/** Options of a test that needs onnxruntime-node: skips it, saying so, where `npm run check:interchange` has not put it. */
export const needsOnnxRuntime = existsSync(`${folder}node_modules/onnxruntime-node`)
  ? {}
  : { skip: 'onnxruntime-node is not in build/peers/onnxruntime; npm run check:interchange installs it' }

/** Outputs of a model by ONNX Runtime. */
export async function runOnnx(file: string, samples: Float32Array, width: number): Promise<Float32Array> {
  const { InferenceSession, Tensor } = createRequire(folder)('onnxruntime-node')
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 })
  const input = new Tensor('float32', samples, [samples.length / width, width])
  const { output } = await session.run({ input })
  await session.release()
  return output.data
}

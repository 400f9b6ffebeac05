import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runOnnx } from '../../bench/interchange/onnx.js'

const folder = fileURLToPath(new URL('../../build/peers/onnxruntime/', import.meta.url))

/** Options of a test that needs onnxruntime-node: skips it, saying so, where `npm run check:interchange` has not put it. */
export const needsOnnxRuntime = existsSync(`${folder}node_modules/onnxruntime-node`)
  ? {}
  : { skip: 'onnxruntime-node is not in build/peers/onnxruntime; npm run check:interchange installs it' }

/** Outputs of a model by ONNX Runtime. */
export const runModel = (model: string, values: Float32Array, width: number) =>
  runOnnx(folder, model, values, width)

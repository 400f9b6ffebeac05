import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { furthest } from '../../bench/interchange/distance.js'
import { dense, exportOnnx, Network, sparse } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { readModel } from '../support/onnx.js'
import { needsOnnxRuntime, runModel } from '../support/onnxruntime.js'
import { networkOptions, randomNetwork, samples } from './networks.js'

const skip = { skip: noAddon }
const count = 40

for (const [name, options] of Object.entries(networkOptions)) {
  t.test(`a model of ${name} computes what predict gives`, skip, async (t) => {
    using network = await randomNetwork(options)
    const given = samples(count, options.inputs)
    const expected = await network.predict(given)
    for (const sparse of [false, true]) {
      const file = join(t.testdir(), 'model.onnx')
      await exportOnnx(network, file, { sparse })
      const model = readModel(file)
      const far = furthest(model.run(given, options.inputs).flat(), expected)
      t.ok(far < 1e-5, `read as the specification says, ${far} away`)
      t.match(model.values, [
        { name: 'input', shape: ['batch', options.inputs] },
        { name: 'output', shape: ['batch', expected.length / count] },
      ])
      t.equal(model.sparse.length > 0, sparse)
      if ('skip' in needsOnnxRuntime) continue
      for (const batch of [count, 1]) {
        const part = given.slice(0, batch * options.inputs)
        const by = furthest(
          await runModel(file, part, options.inputs),
          expected.slice(0, (batch * expected.length) / count),
        )
        t.ok(by < 1e-5, `ONNX Runtime, sparse ${sparse}, batch ${batch}: ${by} away`)
      }
    }
  })
}

t.test('ONNX Runtime ran the models', needsOnnxRuntime, async () => {})

t.test('a snapshot is as good as its network, and a sparse file is small', skip, async (t) => {
  const folder = t.testdir()
  using network = new Network({ inputs: 200, layers: [sparse(300), dense(2)], sparsity: 0.99 })
  const [whole, small] = [join(folder, 'dense.onnx'), join(folder, 'sparse.onnx')]
  await exportOnnx(network, whole)
  await exportOnnx(await network.snapshot(), small, { sparse: true })
  t.ok(statSync(whole).size > 240_000)
  t.ok(statSync(small).size < 20_000)
  t.strictSame(readdirSync(folder).sort(), ['dense.onnx', 'sparse.onnx'])
})

t.test('what no file can hold, and wrong options', skip, async (t) => {
  const file = join(t.testdir(), 'never.onnx')
  using network = new Network({
    inputs: 100_000,
    layers: [sparse(10_000, { sparsity: 0.999999 }), dense(2)],
    device: 'cpu',
  })
  await t.rejects(exportOnnx(network, file), {
    code: 'ERR_ESPALIER_OPTION',
    message: /less than 2 GiB; allowed: sparse: true/,
  })
  for (const nothing of [undefined, {}, 'network']) {
    await t.rejects(exportOnnx(nothing as never, file), {
      code: 'ERR_ESPALIER_OPTION',
      message: /^exportOnnx: option "source" is .*; allowed: a Network, or a snapshot of one/,
    })
  }
  await t.rejects(exportOnnx(network, undefined as never), {
    code: 'ERR_ESPALIER_OPTION',
    message: 'exportOnnx: option "path" is missing; allowed: a path',
  })
  await exportOnnx(network, file, { sparse: true })
  await t.rejects(exportOnnx(network, file, { spars: true } as never), {
    code: 'ERR_ESPALIER_OPTION',
    message: /did you mean "sparse"/,
  })
  await t.rejects(exportOnnx(network, join(file, 'x'), { sparse: true }), { code: 'ERR_ESPALIER_FILE' })
})

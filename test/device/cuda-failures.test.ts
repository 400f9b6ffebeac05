/** A GPU that is not there, too small, or lost. Each happens in a process of its own, by the emulation. */
import t from 'tap'
import { inChild, noEmulation } from './support.js'

/** A data set, a network and how to train it, for a child. */
const prelude = `
  const { Network, sparse, dense, sgd } = espalier
  const values = Float32Array.from({ length: 160 * 20 }, (_, i) => Math.sin(i * i))
  const data = { name: 'waves', samples: 160, features: 20, values, labels: new Int32Array(160).map((_, i) => i % 4), classes: 4 }
  const make = (device) => new Network({ inputs: 20, layers: [sparse(32), dense(4)], sparsity: 0.6, device })
  const settings = { epochs: 2, batchSize: 16, optimizer: sgd({ learningRate: 0.01 }) }
  const failure = async (promise) => promise.then(() => null, ({ code, message }) => ({ code, message }))
  const print = (value) => console.log(JSON.stringify(value))
`

for (const [fail, reason] of [
  ['no-device', /no GPU|no NVIDIA driver/],
  ['old-driver', /driver.*older/],
] as const) {
  t.test(`${fail}: 'cuda' says why, 'auto' trains on the processor`, { skip: noEmulation }, async (t) => {
    const outcome = inChild<{
      cuda: { usable: boolean; reason: string }
      asked: { code: string; message: string }
      auto: string
      device: string
      reason: string
    }>(
      `${prelude}
      const asked = await failure((async () => make('cuda'))())
      const network = make('auto')
      const { reason } = await network.fit(data, settings)
      print({ cuda: espalier.system().cuda, asked, auto: espalier.chooseDevice(), device: network.plan().device, reason })`,
      { ESPALIER_EMULATION_FAIL: fail },
    )
    t.equal(outcome.cuda.usable, false)
    t.match(outcome.cuda.reason, reason)
    t.equal(outcome.asked.code, 'ERR_ESPALIER_DEVICE')
    t.ok(outcome.asked.message.includes(outcome.cuda.reason), outcome.asked.message)
    t.match(outcome, { auto: 'cpu', device: 'cpu', reason: 'finished' })
  })
}

t.test('the emulation is never taken unasked', { skip: noEmulation }, async (t) => {
  t.strictSame(
    inChild(`console.log(JSON.stringify([espalier.chooseDevice('auto'), espalier.chooseDevice('cuda')]))`),
    ['cpu', 'cuda'],
  )
})

t.test('out of GPU memory: a clear error, and another network goes on', { skip: noEmulation }, async (t) => {
  const outcome = inChild<{
    fit: { code: string; message: string }
    evaluate: { code: string; message: string }
    progress: object
    small: string
    steps: [number, number]
    again: string
  }>(
    `${prelude}
    const small = make('cuda')
    const controller = new AbortController()
    const run = small.fit(data, { ...settings, epochs: 1e6, signal: controller.signal })
    await small.snapshot()
    const wide = [sparse(2048), sparse(2048), dense(4)]
    const large = new Network({ inputs: 20, layers: wide, sparsity: 0.1, device: 'cuda' })
    const fit = await failure(large.fit(data, settings))
    const evaluate = await failure(large.evaluate(data))
    const progress = large.progress
    large.dispose()
    const before = (await small.snapshot()).counters.step
    let after = before
    while (after <= before) after = (await small.snapshot()).counters.step
    controller.abort()
    const { reason } = await run
    const again = await make('cuda').fit(data, settings)
    print({ fit, evaluate, progress, small: reason, steps: [before, after], again: again.reason })`,
    { ESPALIER_EMULATION_MEMORY: String(16 * 2 ** 20) },
  )
  for (const error of [outcome.fit, outcome.evaluate]) {
    t.equal(error?.code, 'ERR_ESPALIER_MEMORY')
    t.match(error?.message, /\d+ bytes asked for, \d+ of \d+ free/)
  }
  t.match(outcome, { progress: { steps: 0 }, small: 'cancelled', again: 'finished' })
})

t.test(
  'libraries that do not start say whether it is for lack of memory',
  { skip: noEmulation },
  async (t) => {
    for (const [memory, code] of [
      [100, 'ERR_ESPALIER_MEMORY'],
      [1000, 'ERR_ESPALIER_DEVICE'],
    ] as const) {
      const fit = inChild<{ code: string; message: string }>(
        `${prelude} print(await failure(make('cuda').fit(data, settings)))`,
        { ESPALIER_EMULATION_FAIL: 'libraries', ESPALIER_EMULATION_MEMORY: String(memory * 2 ** 20) },
      )
      t.equal(fit.code, code)
      t.match(fit.message, /cuBLAS could not start/)
    }
  },
)

t.test('cuSPARSE that refuses is passed over', { skip: noEmulation }, async (t) => {
  const outcome = inChild<{ reason: string; products: { chosen: string; candidates: { name: string }[] }[] }>(
    `${prelude}
    const network = make('cuda')
    const { reason } = await network.fit(data, { ...settings, rewire: espalier.rigl({ every: 5 }) })
    print({ reason, products: network.plan().products })`,
    { ESPALIER_EMULATION_FAIL: 'cusparse' },
  )
  t.equal(outcome.reason, 'finished')
  t.ok(outcome.products.length > 0)
  for (const { candidates } of outcome.products) {
    const names = candidates.map(({ name }) => name)
    t.ok(names.includes('gather'))
    t.notOk(names.includes('cuSPARSE'))
  }
})

t.test('the GPU is lost: the network stays as it was last seen', { skip: noEmulation }, async (t) => {
  const outcome = inChild<{
    fit: { code: string; message: string }
    seen: number
    kept: { step: number; samplesSeen: number; stepInEpoch: number }
    progress: { steps: number }
    finite: boolean
    later: { code: string } | null
    doctor: { usable: boolean; reason: string }
    elsewhere: string
  }>(
    `${prelude}
    import os from 'node:os'
    import fs from 'node:fs'
    import path from 'node:path'
    const network = make('cuda')
    const run = network.fit(data, { ...settings, epochs: 1e6, rewire: espalier.rigl({ every: 7 }) })
    let seen = 0
    const looking = (async () => { for (;;) seen = (await network.snapshot()).counters.step })().catch(() => {})
    const lost = await Promise.race([failure(run), looking])
    const { counters, tensors } = await network.snapshot()
    const finite = tensors.every(({ data }) => !(data instanceof Float32Array) || data.every(Number.isFinite))
    const later = await failure(network.evaluate(data))
    const doctor = espalier.system().cuda
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-lost-'))
    const file = path.join(folder, 'model.safetensors')
    await network.save(file)
    const other = await Network.load(file, { device: 'cpu' })
    const { reason } = await other.fit(data, { epochs: other.progress.epochs + 2, resume: true })
    fs.rmSync(folder, { recursive: true })
    const { step, samplesSeen, stepInEpoch } = counters
    print({ fit: lost, seen, kept: { step, samplesSeen, stepInEpoch }, progress: network.progress, finite, later, doctor, elsewhere: reason })
    process.exit()`,
    { ESPALIER_EMULATION_FAIL: 'lost:2000' },
  )
  t.equal(outcome.fit.code, 'ERR_ESPALIER_DEVICE')
  t.ok(outcome.fit.message.length > 0)
  t.ok(outcome.kept.step >= outcome.seen, `step ${outcome.kept.step}, last seen at ${outcome.seen}`)
  t.equal(
    outcome.kept.samplesSeen,
    outcome.kept.stepInEpoch * 16,
    'sums belong to the steps that are counted',
  )
  t.equal(outcome.progress.steps, outcome.kept.step)
  t.ok(outcome.finite)
  t.equal(outcome.later?.code, 'ERR_ESPALIER_DEVICE')
  t.notOk(outcome.doctor.usable)
  t.match(outcome.doctor.reason, /does not open: .*illegal memory access/)
  t.equal(outcome.elsewhere, 'finished', 'and can be trained elsewhere')
})

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { breakEven } from '../../bench/break-even.js'
import { boundFraction, Products, Steps } from '../../bench/cuda/compare.js'
import { isRight, type Line, ofKind, type ProductLine, products } from '../../bench/cuda/lines.js'
import { drawSpeedups } from '../../bench/cuda/plot.js'
import { runProgram } from '../../bench/cuda/program.js'
import { markdownOf } from '../../bench/cuda/tables.js'
import { targetsOf } from '../../bench/cuda/targets.js'

const emulated = fileURLToPath(new URL('../../build/Release/espalier_cuda_bench_emulated', import.meta.url))
const timed = { lowerQuartile: 1, upperQuartile: 1, runs: 20 }

const product = (what: Partial<ProductLine>): ProductLine => ({
  kind: 'product',
  size: 4096,
  batch: 512,
  sparsity: 0.9,
  block: 1,
  product: 'forward',
  precision: 'float32',
  implementation: 'gather',
  medianMicroseconds: 100,
  connections: 1_677_722,
  bytes: 1,
  error: 1e-7,
  ...timed,
  ...what,
})

const three = (what: Partial<ProductLine>) => products.map((name) => product({ ...what, product: name }))

t.test('the fastest right way of each family counts', async (t) => {
  const all = new Products([
    ...three({ medianMicroseconds: 100 }),
    ...three({ implementation: 'staged', medianMicroseconds: 50 }),
    // Faster still, but wrong.
    ...three({ implementation: 'gather', medianMicroseconds: 1, error: null }),
    ...three({ implementation: 'gather', medianMicroseconds: 1, error: 0.5 }),
    ...three({ implementation: 'dense', sparsity: 0, medianMicroseconds: 500 }),
    ...three({ implementation: 'dense default', sparsity: 0, medianMicroseconds: 400 }),
  ])
  const cell = { size: 4096, batch: 512, sparsity: 0.9, block: 1 }
  t.equal(all.three('own', 'float32', cell), 150)
  t.equal(all.speedup('float32', cell, 'float32'), 8)
  t.equal(all.speedup('float32', cell, 'tf32'), null, 'dense TF32 was not measured')
  t.equal(all.three('own', 'float32', { ...cell, batch: 32 }), null)
})

t.test('break-even lies between the sparsities where the faster changes', async (t) => {
  const points = [
    { sparsity: 0.99, speedup: 10 },
    { sparsity: 0.9, speedup: 1 },
    { sparsity: 0.5, speedup: 0.2 },
  ]
  t.ok(Math.abs(Number(breakEven(points)) - 0.9) < 1e-12)
  // Where time follows density, a density of 0.1 at 2x means break-even at 0.2.
  const linear = [
    { sparsity: 0.9, speedup: 2 },
    { sparsity: 0.5, speedup: 0.4 },
  ]
  t.ok(Math.abs(Number(breakEven(linear)) - 0.8) < 1e-12)
  t.equal(breakEven(points.slice(0, 2)), 'lower')
  t.equal(breakEven(points.slice(2)), 'higher')
  t.equal(breakEven([]), null)
})

t.test('the share of the gather bound counts two operations for each connection and sample', async (t) => {
  const ceilings = [{ kind: 'ceiling', name: 'gather bound', value: 16.7, unit: 'TFLOP/s' }] as const
  const line = product({ connections: 1_000_000, batch: 1000, medianMicroseconds: 200 })
  t.match(boundFraction(line, ceilings)?.toFixed(6), (10 / 16.7).toFixed(6))
  t.equal(boundFraction({ ...line, precision: 'bfloat16' }, ceilings), boundFraction(line, ceilings)! / 2)
  t.equal(boundFraction(line, []), null)
})

t.test('a target names what was not measured, and is judged by the faster dense step', async (t) => {
  const step = {
    kind: 'step',
    network: '4096-4096-10',
    optimizer: 'Adam',
    batch: 128,
    sparsity: 0.9,
    block: 1,
    precision: 'float32',
    implementation: 'sparse',
    medianMicroseconds: 100,
    loss: 2,
    peakBytes: 1e6,
    reservedBytes: 1e6,
    plan: '',
    ...timed,
  } as const
  const dense = { ...step, sparsity: 0, precision: 'tf32', implementation: 'dense' } as const
  const lines: Line[] = [
    step,
    { ...dense, medianMicroseconds: 150 },
    { ...dense, implementation: 'dense wide', medianMicroseconds: 130 },
    { ...dense, precision: 'float32', implementation: 'dense wide', medianMicroseconds: 250 },
    { ...dense, precision: 'float32', implementation: 'dense default', medianMicroseconds: 200 },
  ]
  t.equal(new Steps(lines).speedup(step, 'dense', 'tf32'), 1.3)
  t.equal(new Steps(lines).speedup(step, 'dense', 'float32'), 2)
  const targets = targetsOf(lines)
  const target = targets.find(({ name }) => /batch 128, 90 %, against dense TF32/.test(name))
  t.match(target, { target: 1.2, value: 1.3, met: true })
  const missing = targets.filter(({ met }) => met === null)
  t.equal(missing.length, targets.length - 1)
})

t.test(
  'the program, emulated on the processor, and what is made of its lines',
  { skip: existsSync(emulated) ? false : 'not built; `npm test` builds it on Linux' },
  async (t) => {
    const lines = await runProgram({ program: emulated, scale: 'tiny', seconds: 100, report() {} })
    t.strictSame(ofKind(lines, 'failure'), [])
    t.strictSame(
      ofKind(lines, 'product').filter((line) => !isRight(line)),
      [],
      'every product agrees with float32',
    )
    t.equal(ofKind(lines, 'end').length, 5, 'every part came to its end')
    const ways = new Set(ofKind(lines, 'product').map(({ implementation }) => implementation))
    const own = ['gather', 'staged', 'matrix units']
    const others = ['cuSPARSE CSR 2', 'cuSPARSE', 'dense', 'dense default', 'masked', 'masked default']
    for (const way of [...own, ...others]) t.ok(ways.has(way), way)
    for (const way of ['dense default', 'masked default'] as const)
      t.ok(
        ofKind(lines, 'step').some(({ implementation }) => implementation === way),
        `a step, ${way}`,
      )
    t.strictSame(
      ofKind(lines, 'rewiring').map(({ rule }) => rule),
      ['RigL', 'SET'],
    )

    // From equal weights the masked and the sparse way train alike.
    const steps = new Steps(lines)
    for (const masked of steps.lines.filter((line) => line.implementation === 'masked')) {
      const { network, sparsity } = masked
      const sparse = steps.find({ network, sparsity, block: 1, precision: 'float32' })
      const difference = Math.abs(masked.loss! - sparse!.loss!)
      t.ok(difference < (masked.precision === 'float32' ? 1e-4 : 2e-2), `${network} ${masked.precision}`)
    }

    const markdown = markdownOf(lines, 'picture.svg')
    t.match(markdown, '## Break-even sparsity')
    t.match(markdown, 'Nothing failed')
    t.notMatch(markdown, /NaN|undefined|\[object/)
    const picture = await drawSpeedups(lines)
    t.match(picture, /^<svg /)
    t.match(picture, '16 x 16 TF32 against TF32')
  },
)

t.test('a program that fails leaves a failure behind, not an exception', async (t) => {
  const lines = await runProgram({
    program: process.execPath,
    scale: 'tiny',
    seconds: 10,
    report() {},
  })
  t.match(lines, [{ kind: 'failure', cell: 'ceilings' }])
  await t.rejects(
    runProgram({ program: '/nowhere/bench', scale: 'tiny', seconds: 1, report() {} }),
    /is missing/,
  )
})

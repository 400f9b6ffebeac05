import t from 'tap'
import { connectionsOf, gatheredBytes, inferenceBound, productsBound, stepBound } from '../../bench/bounds.js'
import { Calm } from '../../bench/calm.js'
import { lostPoints } from '../../bench/figures.js'
import type { PeerRecord } from '../../bench/peers/records.js'
import { all, type FailureRecord, find, speedup, type TimingRecord } from '../../bench/records.js'
import { measuredPart, replaceMeasured } from '../../bench/report/page.js'
import { drawPictures } from '../../bench/report/pictures.js'
import { widthPoints } from '../../bench/report/scaling.js'
import type { AccuracyRecord } from '../../bench/results.js'
import { planOf, threadCounts } from '../../bench/suites/plan.js'
import { timeGroups } from '../../bench/suites/run.js'
import type { Group } from '../../bench/suites/suite.js'
import { judge, judgementRows, targets } from '../../bench/targets.js'
import { ceilings, madeUpAddon, madeUpRun } from './made-up-run.js'

const float32 = { block: '1x1', precision: 'float32' } as const

const peers: PeerRecord[] = ['pytorch-csr', 'pytorch-masked', 'tensorflow-js'].map((peer) => ({
  peer,
  version: '1',
  task: 'step',
  shape: '784-1024-1024-10',
  batch: 128,
  threads: 2,
  sparsity: 0.9,
  milliseconds: 10,
  spread: 0.1,
  espalierMilliseconds: 1.25,
  espalierSpread: 0.01,
  machine: 'Made up, 2 threads, Node v20',
}))

const accuracy: AccuracyRecord[] = [1, 2].flatMap((seed) =>
  (['float32', 'bfloat16'] as const).map((precision) => ({
    dataset: 'fashion-mnist',
    shape: '784-1024-1024-10',
    epochs: 1,
    block: '1x1',
    precision,
    sparsity: 0.9,
    seed,
    accuracy: 0.89 + 0.001 * seed - (precision === 'bfloat16' ? 0.0005 : 0),
  })),
)

t.test('threads double up to all', async (t) => {
  t.strictSame(threadCounts(1), [1])
  t.strictSame(threadCounts(2), [1, 2])
  t.strictSame(threadCounts(6), [1, 2, 4, 6])
})

t.test('no plan times the same twice', async (t) => {
  for (const scale of ['full', 'quick', 'targets'] as const) {
    for (const processors of [1, 2, 16]) {
      const cells = planOf(scale, processors).flatMap(({ cells, dense, ...group }) =>
        cells.map((cell) => JSON.stringify({ ...group, ...cell })),
      )
      t.equal(new Set(cells).size, cells.length, `${scale}, ${processors} processors`)
    }
  }
})

t.test('the bounds count bytes and multiply-adds', async (t) => {
  t.equal(gatheredBytes('forward', float32), 4)
  t.equal(gatheredBytes('weightGradient', { block: '4x1', precision: 'float32' }), 1)
  t.equal(gatheredBytes('inputGradient', { block: '4x1', precision: 'float32' }), 2, 'adding beats gathering')
  t.equal(gatheredBytes('inputGradient', { block: '8x8', precision: 'float32' }), 0.5)
  t.equal(gatheredBytes('forward', { block: '1x1', precision: 'bfloat16' }), 2)
  const layer = { inputs: 1024, outputs: 1024, batch: 256 }
  const single = productsBound(layer, { ...float32, sparsity: 0.9 }, ceilings[0]!)
  const connections = Math.round(1024 * 1024 * 0.1)
  // Both gradients of single weights take what they gather once.
  const forward = connections * 256 * 4 + 1024 * 256 * 4 + connections * 8
  const gradients = connections * 256 * 4 + 2 * 1024 * 256 * 4 + connections * 12
  t.equal(single.by, 'second-level cache')
  t.ok(Math.abs(single.milliseconds / ((forward + gradients) / 220e6) - 1) < 1e-12)
  const blocks = productsBound(layer, { block: '16x16', precision: 'float32', sparsity: 0.9 }, ceilings[0]!)
  t.equal(blocks.by, 'multiply-adds')
  t.ok(Math.abs(blocks.milliseconds / ((6 * connections * 256) / 230e6) - 1) < 1e-12)
  // Two threads have twice of everything.
  const sizes = [784, 1024, 1024, 10]
  const [one, two] = ceilings.map((each) => stepBound(sizes, 128, { ...float32, sparsity: 0.9 }, each))
  t.ok(Math.abs(one!.milliseconds / two!.milliseconds - 2) < 1e-9)
  // The backward pass of the second layer fetches its output gradients once for two products.
  const [first, second] = [784, 1024].map((inputs) => connectionsOf({ inputs, outputs: 1024 }, 0.9))
  const product = (count: number) => (count * 128 * 4 + 1024 * 128 * 4 + count * 8) / 220e6
  const backward = Math.max(
    (4 * second! * 128) / 230e6,
    (second! * 128 * 4 + 2 * 1024 * 128 * 4 + second! * 12) / 220e6,
  )
  const dense = (6 * 10240 * 128) / 230e6
  const updates = ((first! + second! + 10240) * 20) / 220e6
  const whole = 2 * product(first!) + product(second!) + backward + dense + updates
  t.ok(Math.abs(one!.milliseconds / whole - 1) < 1e-9)
  const inference = inferenceBound(sizes, { ...float32, sparsity: 0.95 }, ceilings[0]!)
  const weights = Math.round(784 * 1024 * 0.05) + Math.round(1024 * 1024 * 0.05)
  t.ok(Math.abs(inference.milliseconds / ((weights * 8 + 10240 * 4) / 220e6) - 1) < 1e-9)
})

t.test('--targets times what every target asks for', async (t) => {
  const run = madeUpRun(planOf('targets', 2))
  for (const { target, measured } of judge({ run, peers, accuracy })) t.ok(measured, target.name)
  const nothing = judge({ run: madeUpRun([]), peers: [], accuracy: [] })
  t.ok(nothing.filter(({ target }) => !/memory/.test(target.name)).every(({ met }) => met === null))
})

t.test('peers count only where they were measured', async (t) => {
  const run = madeUpRun(planOf('targets', 2))
  const others = peers.map((peer) => ({ ...peer, machine: 'Made up, 4 threads, Node v20' }))
  const elsewhere = judge({ run, peers: others, accuracy }).filter(({ met }) => met === null)
  t.strictSame(
    elsewhere.map(({ target }) => target.name.replace(/.*against /, '')),
    ['PyTorch CSR, the least from 80 % on', 'PyTorch with masks at 90 %', 'TensorFlow.js, the least'],
  )
  const page = measuredPart([], { peers: [...peers, ...others], accuracy })
  t.match(page, '### On Made up, 2 threads, Node v20\n')
  t.match(page, '### On Made up, 4 threads, Node v20\n')
})

t.test('a full run tells of every target too, and of no number that is none', async (t) => {
  const run = madeUpRun(planOf('full', 2))
  const judgements = judge({ run, peers, accuracy })
  t.equal(judgements.length, targets.length)
  for (const { target, measured } of judgements) t.ok(Number.isFinite(measured?.value), target.name)
  t.notMatch(JSON.stringify(judgementRows(judgements)), /NaN|undefined|null|Infinity/)
})

t.test('a target that is missed names its bound', async (t) => {
  const run = madeUpRun(planOf('targets', 2))
  const what = { suite: 'products', shape: '4096-4096', threads: 2, ...float32, sparsity: 0.9 } as const
  const record = find(run, what)!
  const rows = () =>
    judgementRows(judge({ run, peers: [], accuracy: [] })).find(([name]) =>
      /4096 x 4096, batch 256, 1x1, 90 %/.test(name!),
    )!
  const bound = speedup(record)!
  t.match(rows(), [/./, 'at least 3.5x', `${bound.toFixed(2)}x`, 'yes', ''])
  record.milliseconds *= 10
  t.match(rows(), [
    /./,
    /./,
    `${(bound / 10).toFixed(2)}x`,
    'no',
    `second-level cache allows ${bound.toFixed(2)}x`,
  ])
})

t.test('what bfloat16 loses is told over the seeds that both have', async (t) => {
  t.ok(Math.abs(lostPoints(accuracy, '1x1')! - 0.05) < 1e-9)
  t.equal(lostPoints(accuracy.slice(0, 1), '1x1'), null)
  t.equal(lostPoints(accuracy, '8x8'), null)
})

t.test('time per connection stays where time follows connections', async (t) => {
  const points = widthPoints(madeUpRun(planOf('full', 2)))
  t.equal(points.filter(({ width }) => width === 2048).length, 4, 'at 2048 the rules are the same')
  t.ok(points.every(({ nanoseconds }) => nanoseconds > 0))
})

t.test('the page and its pictures', async (t) => {
  const run = madeUpRun(planOf('full', 2))
  run.failures.push({ what: 'step', message: 'a | b' })
  const pictures = await drawPictures(run)
  t.strictSame([...pictures.keys()], ['speed', 'roofline', 'width', 'threads', 'memory'])
  for (const svg of pictures.values()) {
    t.match(svg, /^<svg /)
    t.notMatch(svg, /NaN|undefined/)
  }
  const named = { name: 'made-up', run, pictures: [...pictures.keys()] }
  const measured = measuredPart([named], { peers, accuracy })
  t.notMatch(measured, /NaN|undefined|\[object|Infinity/)
  for (const title of [
    'Machine',
    'Targets',
    'Roofline',
    'Batch',
    'Width',
    'Threads',
    'Epoch',
    'Rewiring',
    'Memory',
  ])
    t.match(measured, `### ${title}\n`)
  t.match(measured, '| pytorch-csr 1 | 10.00, 8.00x |')
  t.match(measured, '| Espalier | 1.25 |')
  t.match(measured, '| 1x1 | bfloat16 | 90 % | 89.10 ± 0.07 % |')
  t.match(measured, 'results/made-up-speed.svg')
  const page =
    'before\n<!-- measured: begin; written by "npm run bench:report" -->\nold\n<!-- measured: end -->\nafter\n'
  const once = replaceMeasured(page, measured)
  t.match(once, /^before\n/)
  t.match(once, /after\n$/)
  t.notMatch(once, '\nold\n')
  t.equal(replaceMeasured(once, measured), once, 'writing it twice changes nothing')
  t.throws(() => replaceMeasured('no marks', measured), /lacks the lines/)
})

t.test('a page of a run of one suite has what there is', async (t) => {
  const run = { ...madeUpRun(planOf('quick', 2).filter(({ suite }) => suite === 'inference')), memory: [] }
  const pictures = await drawPictures(run)
  t.equal(pictures.size, 0)
  const measured = measuredPart([{ name: 'part', run, pictures: [] }], { peers: [], accuracy: [] })
  t.match(measured, '### Inference')
  t.notMatch(measured, /### (Roofline|Memory|Width)/)
})

t.test('groups are timed with the best dense way; what fails is told of and left out', async (t) => {
  const calls: string[] = []
  const timed: TimingRecord[] = []
  const failed: FailureRecord[] = []
  const step: Group = {
    suite: 'step',
    sizes: [4, 4],
    batch: 2,
    threads: 2,
    dense: true,
    cells: [
      { sparsity: 0.5, ...float32 },
      { sparsity: 0.5, block: '1x1', precision: 'bfloat16' },
    ],
  }
  const products = { ...step, suite: 'products', dense: false, cells: step.cells.slice(0, 1) } as const
  await timeGroups(madeUpAddon(calls), [step, products], 0.01, {
    timed: (record) => timed.push(record),
    failed: (failure) => failed.push(failure),
  })
  t.match(failed, [{ what: 'step 4-4, batch 2, 2 threads, 1x1 bfloat16 0.5', message: 'no bfloat16 here' }])
  t.equal(timed.length, 2)
  const [first, second] = timed
  t.match(first, {
    suite: 'step',
    shape: '4-4',
    dense: { library: 'BLIS, sliced' },
    masked: { library: 'BLIS, sliced' },
  })
  t.strictSame(
    calls,
    [
      ...['OpenBLAS false', 'OpenBLAS true', 'BLIS false', 'BLIS true'],
      ...['BLIS true', 'OpenBLAS true'],
      ...['BLIS true', 'OpenBLAS true'],
    ],
    'the ways are tried once, dense and masked are timed in the two fastest',
  )
  t.ok(first!.milliseconds >= 0.2)
  t.match(second, { suite: 'products', dense: null })
  t.equal(all({ ...madeUpRun([]), timings: timed }, { suite: 'products' }).length, 1)
  const { forward, backward } = second!.parts!
  t.ok(Math.abs(forward! + backward! - second!.milliseconds) < 1e-9)
})

t.test('times while processors are near and whole, as long as patience lasts', async (t) => {
  // What each look finds: handover and pace.
  const looks: [number, number][] = []
  const seen = () => looks[0] ?? [350, 100]
  const addon = {
    handover: () => seen()[0],
    pace: () => {
      const [, pace] = seen()
      looks.shift()
      return pace
    },
  }
  const calm = new Calm(addon, 0.05, 0.01, 3)
  let timed = 0
  const work = () => ++timed
  const time = async (found: [number, number][]) => {
    looks.push(...found)
    const result = await calm.time(2, work)
    t.strictSame(looks, [])
    return result
  }
  looks.push([50, 100])
  await calm.wait(2)
  t.strictSame(looks, [], 'the first look is the calmest so far')
  const apart: [number, number][] = [
    [320, 100],
    [340, 101],
    [60, 99],
    [330, 100],
  ]
  t.equal(
    await time([...apart, [55, 100], [50, 100]]),
    2,
    'waits twice, and times again what was moved apart',
  )
  const slowed: [number, number][] = [
    [50, 90],
    [51, 98],
    [52, 80],
  ]
  t.equal(await time([...slowed, [50, 97], [50, 98]]), 4, 'waits once, and times again what was slowed down')
  t.equal(calm.timedDisturbed, 0)
  const long: [number, number][] = [
    [50, 80],
    [50, 80],
    [50, 80],
  ]
  t.equal(await time(long), 5, 'a long disturbance is not waited for to its end, or timed again in')
  t.equal(calm.timedDisturbed, 1)
  t.equal(await time([[50, 80]]), 6, 'once all patience is at its end it is timed at once')
  t.equal(calm.timedDisturbed, 2)
})

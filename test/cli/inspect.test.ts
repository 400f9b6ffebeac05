/** `espalier inspect` as a process. */
import { join } from 'node:path'
import t from 'tap'
import type { Inspection } from '../../lib/cli/inspect/inspection.js'
import { dense, fanIn, Network, profile, pruneNeurons, savedTopology, set, sparse } from '../../lib/index.js'
import { clouds } from '../model/support.js'
import { espalier, needsAddon, smallTable } from './process.js'

const train = (out: string, ...more: string[]) => [
  ...'train table.csv --label kind --hidden 24,16 --sparsity 0.6 --threads 1 --batch 8 --quiet'.split(' '),
  ...['--out', out, ...more],
]
const model = (run: string) => join(run, 'model.safetensors')

t.test('the analysis of a network', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const moving = ['--rewire', 'set', '--epochs', '6']
  t.equal((await espalier(folder, train('a', ...moving))).code, 0)
  t.equal((await espalier(folder, train('b', ...moving, '--seed', '9'))).code, 0)
  t.equal((await espalier(folder, train('still', '--rewire', 'static', '--epochs', '1'))).code, 0)
  t.equal(
    (await espalier(folder, train('wide', '--rewire', 'static', '--epochs', '1', '--hidden', '30'))).code,
    0,
  )
  const inspect = async (...args: string[]) => {
    const outcome = await espalier(folder, ['inspect', ...args])
    t.equal(outcome.code, 0, outcome.stderr)
    return outcome
  }

  await t.test('in numbers', async (t) => {
    const { json } = await inspect(model('a'), 'table.csv', '--part', 'train', '--json')
    const answer = json() as unknown as Inspection
    t.match(answer, { topology: { type: 'erdosRenyi' }, rewire: { type: 'set', every: 'epoch' } })
    t.match(answer, { gradients: { dataset: 'table', samples: Number, batchSize: 128 }, against: null })
    const [first, second, last] = answer.layers
    t.match(first, {
      type: 'sparse',
      dead: Number,
      removedNeurons: 0,
      exploration: null,
      fanIn: { cv: Number, lognormal: { mu: Number, sigma: Number, distance: Number, fitted: Number } },
      fanOut: { lognormal: Object },
      sinceStart: { moved: Number, jaccard: Number, fanIn: Number },
      against: null,
      concentration: Number,
    })
    const moved = second!.sinceStart!.moved!
    t.ok(moved > 0 && moved <= 1, `${moved} moved`)
    t.ok(first!.concentration! > 0)
    t.match(last, { type: 'dense', fanIn: null, sinceStart: null, concentration: null })
    const total = answer.topInputs.reduce((sum, { share }) => sum + share, 0)
    t.ok(Math.abs(total - 1) < 1e-12, 'three inputs, all listed')
  })

  await t.test('a topology that never moved is at its start', async (t) => {
    const { json } = await inspect(model('still'), '--json')
    t.match(json(), {
      gradients: null,
      layers: [
        { sinceStart: { moved: 0, jaccard: 0, fanIn: 0 }, concentration: null },
        { sinceStart: { moved: 0, jaccard: 0, fanIn: 0 } },
        {},
      ],
    })
  })

  await t.test('beside another network', async (t) => {
    const same = await inspect(model('a'), '--against', model('a'), '--json')
    t.match(same.json(), {
      against: model('a'),
      layers: [{ against: { moved: 0, jaccard: 0, fanIn: 0 } }, {}, { against: null }],
    })
    const { json } = await inspect(model('a'), '--against', model('b'), '--json')
    const { layers } = json() as unknown as Inspection
    const { moved, jaccard } = layers[1]!.against!
    t.ok(moved! > 0.1, 'another seed, other connections')
    t.ok(jaccard! > moved!, 'Jaccard counts those of both')
    const wide = await inspect(model('a'), '--against', model('wide'), '--json')
    t.match(wide.json(), {
      layers: [{ against: { moved: null, jaccard: null, fanIn: Number } }, { against: null }, {}],
    })
  })

  await t.test('for people', async (t) => {
    const { stdout } = await inspect(model('a'), 'table.csv', '--against', model('b'))
    t.match(
      stdout,
      /^6 epochs, 54 steps, 5 rewirings; loss softmaxCrossEntropy, seed 1\ntopology: erdosRenyi\n/,
    )
    t.match(stdout, /\nrewiring: set, .*every epoch, .*initialization zeros.*neurons none/)
    t.match(stdout, /\nlayer +kind .*dead +removed +explored\n/)
    t.match(stdout, /variation +none +lognormal mu +sigma +misfit\ninto layer 1 +outputs/)
    t.match(
      stdout,
      /\ncompared with +layer +connections gone +Jaccard distance +fan-in apart\nthe start +1 +\d/,
    )
    t.match(stdout, new RegExp(`\n${model('b')} +2 +[\\d.]+ %`))
    t.match(stdout, /\nlayer +gradient at hubs, times the mean \(18 samples of table\)\n +1 +\d/)
    t.match(stdout, /\ninput +connections +share\n(left|middle|right) +\d+ +[\d.]+ %/)
    const quiet = await inspect(model('a'), '--quiet')
    t.equal(quiet.stdout, '')
  })

  await t.test('wrong use', async (t) => {
    for (const [args, message] of [
      [['--part', 'test'], "option '--part' is for a data set; name one after the checkpoint"],
      [['--label', 'kind'], "option '--label' is for a data set; name one after the checkpoint"],
      [['--batch', '3'], "option '--batch' is for a data set; name one after the checkpoint"],
      [['--threads', '1'], "option '--threads' is for a data set; name one after the checkpoint"],
      [['--batch', '0'], /option '--batch <size>' argument '0' is invalid. Allowed: a whole number from 1/],
    ] as const) {
      const outcome = await espalier(folder, ['inspect', model('a'), ...args, '--json'])
      t.equal(outcome.code, 2, args.join(' '))
      t.match(outcome.json(), { error: { code: 'ERR_ESPALIER_OPTION', message } })
    }
    const missing = await espalier(folder, ['inspect', model('a'), '--against', 'none.safetensors', '--json'])
    t.match(missing.json(), { error: { code: 'ERR_ESPALIER_NOT_FOUND' } })
    const nothing = await espalier(folder, ['inspect', model('a'), 'none.csv', '--json'])
    t.match(nothing.json(), { error: { code: 'ERR_ESPALIER_NOT_FOUND' } })
  })
})

t.test('removed neurons and explored positions', needsAddon, async (t) => {
  const folder = t.testdir()
  using network = new Network({
    inputs: 8,
    layers: [sparse(20), sparse(16, { masked: true }), dense(3, { dropConnect: 0.25 })],
    sparsity: 0.6,
    device: 'cpu',
  })
  const rewire = set({ neurons: pruneNeurons({ fraction: 0.25 }), trackExploration: true })
  await network.fit(clouds(60, 8, 3), { epochs: 10, rewire, threads: 1 })
  await network.save(join(folder, 'pruned.safetensors'))
  const inspected = await espalier(folder, ['inspect', 'pruned.safetensors', '--json'])
  const { layers } = inspected.json() as unknown as Inspection
  t.strictSame(
    layers.map(({ removedNeurons }) => removedNeurons),
    [5, 4, 0],
  )
  for (const [index, { dead, removedNeurons, exploration }] of layers.entries()) {
    t.equal(exploration, network.summary()[index]!.exploration)
    if (dead === null) t.equal(exploration, null)
    else t.ok(dead >= removedNeurons && exploration! > 0.4 && exploration! <= 1, `${dead}, ${exploration}`)
  }
  const shown = await espalier(folder, ['inspect', 'pruned.safetensors'])
  t.match(shown.stdout, /\n +1 +sparse .* 5 +[\d.]+ %\n/)
  t.match(shown.stdout, /\n +2 +sparse, masked .*\n +3 +dense, dropConnect 0\.25 /)
})

t.test('topologies of every kind', needsAddon, async (t) => {
  const folder = t.testdir()
  const layers = [sparse(20), sparse(16), dense(3)]
  using profiled = new Network({
    inputs: 12,
    layers,
    topology: profile({ family: 'lognormal', cv: [0.5, 0.3] }),
    sparsity: 0.6,
    device: 'cpu',
  })
  using saved = new Network({
    inputs: 12,
    layers,
    topology: savedTopology(await profiled.snapshot()),
    device: 'cpu',
  })
  const counts = [new Array<number>(20).fill(4), new Array<number>(16).fill(5)]
  using counted = new Network({ inputs: 12, layers, topology: fanIn({ counts }), device: 'cpu' })
  for (const [name, network] of Object.entries({ profiled, saved, counted })) {
    await network.save(join(folder, `${name}.safetensors`))
  }
  const inspect = async (name: string, ...more: string[]) => {
    const outcome = await espalier(folder, ['inspect', `${name}.safetensors`, ...more])
    t.equal(outcome.code, 0, outcome.stderr)
    return outcome
  }
  const shown = await inspect('profiled')
  t.match(shown.stdout, /\ntopology: profile, family lognormal, cv of 2, placement golden, /)
  t.notMatch(shown.stdout, /rewiring:/, 'it was never trained')
  t.match(shown.stdout, /\nthe start +1 +0\.00 %/)
  t.match((await inspect('counted')).stdout, /\ntopology: fanIn, counts of 2, /)
  const taken = await inspect('saved', '--against', 'profiled.safetensors', '--json')
  t.match(taken.json(), {
    topology: { type: 'saved' },
    layers: [{ sinceStart: null, against: { moved: 0 } }, { sinceStart: null }, {}],
  })
})

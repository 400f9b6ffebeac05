/** `espalier train --topology`, from its options to the network. */
import path from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { networkOptionsOf } from '../../lib/cli/resume.js'
import { fanInNotes } from '../../lib/cli/topology-options.js'
import { addTrainOptions, settle, type TrainOptions } from '../../lib/cli/train-options.js'
import { buildNetwork } from '../../lib/cli/train-settings.js'
import { clouds, noAddon } from '../model/support.js'
import { espalier, needsAddon, smallTable } from './process.js'

const data = clouds(120, 20, 3)

/** The network that `espalier train` builds for a line of options. */
function build(line: string) {
  const command = addTrainOptions(new Command().exitOverride()).parse(line.split(' '), { from: 'user' })
  return buildNetwork(settle(command.opts<TrainOptions>()), data)
}

const hidden = '--hidden 40,30 --sparsity 0.7 --device cpu --threads 1'

t.test('every topology by its name', { skip: noAddon }, async (t) => {
  for (const [line, topology] of [
    ['--topology power-law', { type: 'profile', family: 'powerLaw', cv: 1, placement: 'golden' }],
    ['--topology gaussian --fan-in-cv 0.4,0.2 --placement random', { cv: [0.4, 0.2], placement: 'random' }],
    ['--topology constant-fan-in', { type: 'constantFanIn', density: 'erdosRenyi' }],
    ['--topology equilibrium --batch 30', { type: 'profile', family: 'lognormal', cv: [Number, Number] }],
    [
      '--topology spatially-coupled --importance correlation --coupled-blocks 4 --window 3',
      { type: 'spatiallyCoupled', blocks: 4, window: 3 },
    ],
  ] as const) {
    using network = await build(`${hidden} ${line}`)
    t.match(network.description.topology, topology, line)
    const [, name, ...more] = line.split(' ')
    // An equilibrium is a profile like any other once it is found.
    const known = networkOptionsOf(network.description)
    t.equal(known.topology, name === 'equilibrium' ? 'lognormal' : name)
    if (more.includes('--placement')) t.match(known, { fanInCv: [0.4, 0.2], placement: 'random' })
    if (more.includes('--window')) t.match(known, { coupledBlocks: 4, window: 3 })
  }
})

t.test('the connections of a checkpoint', { skip: noAddon }, async (t) => {
  const file = path.join(t.testdir(), 'first.safetensors')
  using first = await build(`${hidden} --seed 4`)
  await first.save(file)
  using second = await build(`--hidden 40,30 --device cpu --topology saved --topology-from ${file}`)
  t.strictSame(await second.pattern(1), await first.pattern(1))
  t.match(networkOptionsOf(second.description), { topology: 'saved', sparsity: 0 })
  await t.rejects(build('--topology saved'), {
    message: '--topology saved needs --topology-from <checkpoint>',
  })
})

t.test('a profile that whole numbers cannot follow is noted', { skip: noAddon }, async (t) => {
  using rough = await build(
    '--hidden 10,100 --sparsity 0.7 --device cpu --topology lognormal --fan-in-cv 0.01,0.4',
  )
  const notes = await fanInNotes(rough)
  t.equal(notes.length, 1)
  t.match(
    notes[0],
    /^layer 1: asked for a fan-in of CV 0\.01; the nearest that whole numbers reach is 0\.0\d+$/,
  )
  using blocks = await build(`${hidden} --block 4x4 --topology lognormal --fan-in-cv 0.05`)
  t.equal((await fanInNotes(blocks)).length, 2, 'few blocks are rough as well')
  using plain = await build(hidden)
  t.strictSame(await fanInNotes(plain), [])
})

t.test('as a process: it trains, goes on, and refuses what is out of reach', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const line = [
    'train',
    'table.csv',
    '--label',
    'kind',
    '--hidden',
    '16',
    '--sparsity',
    '0.5',
    '--threads',
    '1',
  ]
  const profile = ['--topology', 'lognormal', '--fan-in-cv', '0.02']
  const first = await espalier(folder, [...line, ...profile, '--epochs', '1', '--out', 'run'])
  t.equal(first.code, 0, first.stderr)
  t.match(first.stderr, /layer 1: asked for a fan-in of CV 0.02; the nearest/)
  const resumed = await espalier(folder, [
    'train',
    '--resume',
    'run/model.safetensors',
    '--epochs',
    '2',
    '--json',
  ])
  t.equal(resumed.code, 0, resumed.stderr)
  const impossible = await espalier(folder, [...line, '--topology', 'linear', '--fan-in-cv', '2'])
  t.equal(impossible.code, 2)
  t.match(impossible.stderr, /cv is 2 for sparse layer 1 of 1 .* a linear profile reaches 0 to/)
})

import t from 'tap'
import { dense, equilibrium, Network, profileFanIn, rigl, set, sparse, uniform } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { rowsOf, variation } from './support.js'

const data = clouds(600, 30, 3)
const options = {
  inputs: 30,
  layers: [sparse(60), sparse(40, { block: '2x2' }), dense(3)],
  sparsity: 0.8,
  seed: 5,
  device: 'cpu',
} as const

t.test('the lognormal profile of where RigL came to', { skip: noAddon }, async (t) => {
  const rewire = rigl({ every: 5, until: 1 })
  const topology = await equilibrium(options, data, { epochs: 3, batchSize: 30, rewire, threads: 1 })
  using trained = new Network(options)
  await trained.fit(data, { epochs: 3, batchSize: 30, rewire, threads: 1 })
  const expected: number[] = []
  for (const index of [0, 1])
    expected.push(variation(rowsOf(await trained.pattern(index)).map((row) => row.length)))
  t.match(topology, { type: 'profile', family: 'lognormal', placement: 'golden', density: 'erdosRenyi' })
  const cv = topology.cv as readonly number[]
  t.equal(cv.length, 2)
  t.ok(
    cv.every((value, i) => Math.abs(value - expected[i]!) < 1e-12),
    `${cv} and ${expected}`,
  )
  using again = new Network({ ...options, topology })
  const rows = rowsOf(await again.pattern(0))
  const connections = rows.flat().length
  const { counts } = profileFanIn({ family: 'lognormal', cv: cv[0]!, inputs: 30, outputs: 60, connections })
  t.strictSame(
    rows.map((row) => row.length),
    [...counts],
  )
  t.match(await again.fit(data, { epochs: 1 }), { reason: 'finished' })
})

t.test('it follows the density of its network, and a signal', { skip: noAddon }, async (t) => {
  const brief = { epochs: 1, placement: 'random' } as const
  t.match(await equilibrium({ ...options, topology: uniform() }, data, brief), {
    placement: 'random',
    density: 'uniform',
  })
  const reason = new Error('enough')
  await t.rejects(equilibrium(options, data, { signal: AbortSignal.abort(reason) }), reason)
  await t.rejects(equilibrium(options, data, { epochs: 0 }), { code: 'ERR_ESPALIER_OPTION' })
  await t.rejects(equilibrium(options, data, { rewire: set() as never, epochz: 1 } as never), {
    code: 'ERR_ESPALIER_OPTION',
    message: /epochz/,
  })
})

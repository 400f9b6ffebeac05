import fc from 'fast-check'
import t from 'tap'
import { constantFanIn, dense, fanIn, Network, sparse } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { isPattern, rowsOf } from './support.js'

/** The rows of one sparse layer with these fan-ins. */
async function lay(inputs: number, counts: number[], placement: 'golden' | 'random', seed = 0) {
  using network = new Network({
    inputs,
    layers: [sparse(counts.length), dense(2)],
    topology: fanIn({ counts: [counts], placement }),
    seed,
    device: 'cpu',
  })
  const pattern = await network.pattern(0)
  if (!isPattern(pattern)) throw new Error('rows that are not ascending')
  return rowsOf(pattern)
}

t.test('golden placement by hand', { skip: noAddon }, async (t) => {
  // Starts 0, 6, 2, 8, 4 of 10; steps of 10 / k, rounded down.
  t.strictSame(await lay(10, [3, 3, 4, 1, 10], 'golden'), [
    [0, 3, 6],
    [2, 6, 9],
    [2, 4, 7, 9],
    [8],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  ])
})

t.test('golden placement is distinct for every fan-in, and has no seed', { skip: noAddon }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }).chain((inputs) =>
        fc.record({
          inputs: fc.constant(inputs),
          counts: fc.array(fc.integer({ min: 1, max: inputs }), { minLength: 1, maxLength: 40 }),
        }),
      ),
      async ({ inputs, counts }) => {
        const rows = await lay(inputs, counts, 'golden', 1)
        return rows.every((row, i) => {
          const start = Math.floor(i * 1.6180339887 * inputs) % inputs
          const k = counts[i]!
          const expected = Array.from(
            { length: k },
            (_, j) => (start + Math.floor((j * inputs) / k)) % inputs,
          )
          return String(row) === String(expected.sort((a, b) => a - b))
        })
      },
    ),
    { numRuns: 200 },
  )
})

t.test('random placement: the fan-in asked, every input equally often', { skip: noAddon }, async (t) => {
  const counts = Array.from({ length: 600 }, (_, i) => i % 7)
  const rows = await lay(12, counts, 'random', 3)
  t.strictSame(
    rows.map((row) => row.length),
    counts,
  )
  const hits = new Array<number>(12).fill(0)
  for (const row of rows) for (const input of row) hits[input]!++
  // 1800 connections, 150 an input, deviation below 12.
  t.ok(Math.min(...hits) > 100 && Math.max(...hits) < 200, String(hits))
  t.strictSame(await lay(12, counts, 'random', 3), rows, 'the same seed')
  t.notSame(await lay(12, counts, 'random', 4), rows, 'another seed')
})

t.test('fan-in that is not possible is refused', { skip: noAddon }, async (t) => {
  const option = { code: 'ERR_ESPALIER_OPTION' }
  const make = (counts: number[][], more: object = {}) =>
    new Network({
      inputs: 5,
      layers: [sparse(3), dense(2)],
      topology: fanIn({ counts }),
      device: 'cpu',
      ...more,
    })
  t.throws(() => make([[1, 2, 6]]), {
    ...option,
    message:
      'sparse layer 1 of 1 (5 inputs, 3 outputs): the fan-in of neuron (block row) 2 is 6; allowed: 0 to 5',
  })
  t.throws(() => make([[1, 2]]), { ...option, message: /2 fan-ins given for 3 neurons/ })
  t.throws(() => make([[0, 0, 0]]), { ...option, message: /left without a connection/ })
  t.throws(
    () =>
      make([
        [1, 1, 1],
        [1, 1],
      ]),
    { ...option, message: /it has 2 for 1 sparse layers; allowed: one for each/ },
  )
  t.throws(() => make([[1, 2, 3]], { sparsity: 0.5 }), {
    ...option,
    message: 'new Network: option "sparsity" is 0.5; topology fanIn decides it; allowed: absent',
  })
  t.throws(() => make([[1, 2, 3]], { layers: [sparse(3, { sparsity: 0.5 }), dense(2)] }), {
    ...option,
    message: 'new Network: option "layers[0].sparsity" is 0.5; topology fanIn decides it; allowed: absent',
  })
  t.throws(() => fanIn({ counts: [[-1]] }), { ...option, message: /"counts\[0\]\[0\]" is -1/ })
  t.throws(() => fanIn({ counts: [] }), { ...option, message: /a list of fan-ins for each sparse layer/ })
})

t.test('constant fan-in: what does not divide is spread evenly', { skip: noAddon }, async (t) => {
  // 4 x 5 at 0.5 has 10 connections: 2.5 each.
  using network = new Network({
    inputs: 5,
    layers: [sparse(4), dense(2)],
    sparsity: 0.5,
    topology: constantFanIn(),
    device: 'cpu',
  })
  t.strictSame(
    rowsOf(await network.pattern(0)).map((row) => row.length),
    [2, 3, 2, 3],
  )
  using blocks = new Network({
    inputs: 30,
    layers: [sparse(40, { block: '4x4' }), sparse(17, { block: '2x3' }), dense(2)],
    sparsity: 0.6,
    topology: constantFanIn({ density: 'uniform' }),
    device: 'cpu',
  })
  for (const index of [0, 1]) {
    const pattern = await blocks.pattern(index)
    const lengths = rowsOf(pattern).map((row) => row.length)
    t.ok(isPattern(pattern) && Math.max(...lengths) - Math.min(...lengths) <= 1, String(lengths))
  }
})

import fc from 'fast-check'
import t from 'tap'
import { dense, erdosRenyi, Network, type NetworkOptions, sparse, spatiallyCoupled } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { isPattern, rowsOf, sum } from './support.js'

const option = { code: 'ERR_ESPALIER_OPTION' }
const network = (options: Partial<NetworkOptions>) =>
  new Network({ inputs: 4, layers: [sparse(4), dense(2)], sparsity: 0.625, device: 'cpu', ...options })

t.test('a band by hand', { skip: noAddon }, async (t) => {
  // Input blocks {1, 3} and {2, 0} of importance 7 and 3; 6 connections are 4.2 and 1.8, and a block holds 4.
  using one = network({ topology: spatiallyCoupled({ importance: [1, 4, 2, 3], blocks: 2, window: 1 }) })
  const rows = rowsOf(await one.pattern(0))
  t.strictSame(rows.slice(0, 2), [
    [1, 3],
    [1, 3],
  ])
  const rest = rows.slice(2).flat()
  t.ok(rest.length === 2 && rest.every((input) => input === 0 || input === 2), String(rest))
  // A window of both: the first neurons reach all inputs, the last ones the last block only; 4.2 and 1.8 of 4 and 8.
  using two = network({ topology: spatiallyCoupled({ importance: [1, 4, 2, 3], blocks: 2, window: 2 }) })
  const wide = rowsOf(await two.pattern(0))
  t.ok(
    wide
      .slice(2)
      .flat()
      .every((input) => input === 0 || input === 2),
  )
  t.equal(wide.flat().filter((input) => input === 1 || input === 3).length, 4)
})

t.test('what has no importance gets only what the others cannot hold', { skip: noAddon }, async (t) => {
  using some = network({
    sparsity: 0.75,
    topology: spatiallyCoupled({ importance: [0, 1, 0, 1], blocks: 2, window: 1 }),
  })
  t.strictSame(rowsOf(await some.pattern(0)), [[1, 3], [1, 3], [], []])
  using more = network({
    sparsity: 0.5,
    topology: spatiallyCoupled({ importance: [0, 1, 0, 1], blocks: 2, window: 1 }),
  })
  t.strictSame(rowsOf(await more.pattern(0)), [
    [1, 3],
    [1, 3],
    [0, 2],
    [0, 2],
  ])
})

t.test('exact, in the band, and in proportion to importance', { skip: noAddon }, async (t) => {
  const cases = fc.record({
    inputs: fc.integer({ min: 12, max: 80 }),
    hidden: fc.integer({ min: 12, max: 60 }),
    blocks: fc.integer({ min: 2, max: 3 }),
    sparsity: fc.double({ min: 0.75, max: 0.98, noNaN: true }),
    block: fc.constantFrom('1x1', '2x1', '4x3'),
    seed: fc.nat(1000),
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ inputs, hidden, blocks, sparsity, block, seed }) => {
      const importance = Array.from({ length: inputs }, (_, i) => ((i * 7919) % 31) / 10)
      const options = {
        inputs,
        layers: [sparse(hidden, { block }), sparse(hidden, { block }), dense(2)],
        sparsity,
        seed,
        device: 'cpu',
      } as const
      const window = 2
      using coupled = new Network({ ...options, topology: spatiallyCoupled({ importance, blocks, window }) })
      using plain = new Network({ ...options, topology: erdosRenyi() })
      for (const layer of [0, 1]) {
        const pattern = await coupled.pattern(layer)
        const rows = rowsOf(pattern)
        t.equal(pattern.columnIndices.length, (await plain.pattern(layer)).columnIndices.length, 'exact')
        t.ok(isPattern(pattern))
        const columns = Math.ceil(pattern.inputs / pattern.block[1])
        const weight = Array.from({ length: columns }, (_, column) =>
          layer === 1 ? 1 : sum(importance.slice(column * pattern.block[1], (column + 1) * pattern.block[1])),
        )
        const order = [...weight.keys()].sort((a, b) => weight[b]! - weight[a]! || a - b)
        const blockOf = (place: number, size: number) =>
          [...Array(blocks).keys()].findLast((b) => place >= Math.floor((b * size) / blocks))!
        const place = new Map(order.map((column, i) => [column, i]))
        for (const [row, list] of rows.entries()) {
          const mine = blockOf(row, rows.length)
          for (const column of list) {
            const theirs = blockOf(place.get(column)!, columns)
            t.ok(theirs >= mine && theirs < mine + window, `row ${row} in ${mine}, column in ${theirs}`)
          }
        }
      }
    }),
    { numRuns: 60 },
  )
})

t.test('shares follow importance to one connection where nothing is full', { skip: noAddon }, async (t) => {
  const importance = Array.from({ length: 40 }, (_, i) => 40 - i)
  using wide = new Network({
    inputs: 40,
    layers: [sparse(200), dense(2)],
    sparsity: 0.95,
    topology: spatiallyCoupled({ importance, blocks: 4, window: 2 }),
    device: 'cpu',
  })
  const perBlock = [0, 0, 0, 0]
  for (const input of rowsOf(await wide.pattern(0)).flat()) perBlock[Math.floor(input / 10)]!++
  // 400 connections; importance 355, 255, 155, 55 of 820.
  t.strictSame(perBlock, [173, 124, 76, 27])
})

t.test('what is impossible is refused before anything is laid', { skip: noAddon }, async (t) => {
  const importance = [1, 2, 3, 4]
  t.throws(() => network({ topology: spatiallyCoupled({ importance: [1, 2], blocks: 2, window: 1 }) }), {
    ...option,
    message:
      'new Network: option "topology.importance" is [1, 2]; it has 2 numbers; allowed: one for each of the 4 inputs',
  })
  t.throws(() => spatiallyCoupled({ importance: [0, 0], blocks: 1, window: 1 }), {
    ...option,
    message: /"importance" is \[0, 0\]; allowed: numbers >= 0 of which one at least is above 0/,
  })
  t.throws(() => spatiallyCoupled({ importance: [1, -2], blocks: 1, window: 1 }), {
    ...option,
    message: /\[1\]" is -2/,
  })
  t.throws(() => spatiallyCoupled({ importance: [1, Number.NaN], blocks: 1, window: 1 }), {
    ...option,
    message: /NaN/,
  })
  t.throws(
    () => spatiallyCoupled({ importance: [1, Number.POSITIVE_INFINITY], blocks: 1, window: 1 }),
    option,
  )
  t.throws(() => spatiallyCoupled({ importance, blocks: 2, window: 3 }), {
    ...option,
    message: 'spatiallyCoupled: option "window" is 3; allowed: at most as many as blocks, 2',
  })
  t.throws(() => network({ topology: spatiallyCoupled({ importance, blocks: 5, window: 1 }) }), {
    ...option,
    message:
      'blocks is 5, and sparse layer 1 of 1 (4 inputs, 4 outputs) has 4 inputs to cut; allowed: 1 to 4',
  })
  t.throws(
    () => network({ sparsity: 0.1, topology: spatiallyCoupled({ importance, blocks: 4, window: 1 }) }),
    {
      ...option,
      message:
        'sparse layer 1 of 1 (4 inputs, 4 outputs) asks for 15 connections; a window of 1 over 4 blocks reaches 1 to 4',
    },
  )
  t.throws(
    () =>
      network({
        layers: [dense(8), sparse(8), dense(2)],
        topology: spatiallyCoupled({ importance, blocks: 2, window: 1 }),
      }),
    { ...option, message: /the layer that reads them is not sparse/ },
  )
})

import t from 'tap'
import { deadNeurons } from '../../lib/analysis/dead-neurons.js'
import { fanCounts, histogram, spread } from '../../lib/analysis/fan.js'
import { rankInputs } from '../../lib/analysis/inputs.js'
import {
  formatBytes,
  formatCount,
  formatPercent,
  formatSeconds,
  formatShort,
} from '../../lib/report/numbers.js'
import { wholeTicks } from '../../lib/report/svg.js'
import { layer } from '../report/made-up.js'
import { pattern } from './patterns.js'

t.test('connections are counted per neuron', async (t) => {
  const { fanIn, fanOut } = fanCounts(pattern([1, 1], 4, 3, [[0, 2], [], [1, 2, 3]]))
  t.strictSame(fanIn, [2, 0, 3])
  t.strictSame(fanOut, [1, 1, 2, 1])
})

t.test('blocks at the edge count only neurons that exist', async (t) => {
  // 5 outputs in block rows of 2, 7 inputs in block columns of 3: the last block has 1 output and 1 input.
  const { fanIn, fanOut } = fanCounts(pattern([2, 3], 7, 5, [[0, 2], [1], [2]]))
  t.strictSame(fanIn, [4, 4, 3, 3, 1])
  t.strictSame(fanOut, [2, 2, 2, 2, 2, 2, 3])
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
  t.equal(sum(fanIn), sum(fanOut))
})

t.test('spread', async (t) => {
  t.strictSame(spread([4, 0, 2, 2]), { min: 0, median: 2, max: 4, mean: 2, cv: Math.SQRT2 / 2, none: 1 })
  t.equal(spread([1, 2, 5, 10]).median, 3.5)
  t.equal(spread([3, 1, 2]).median, 2)
  t.strictSame(spread([]), { min: 0, median: 0, max: 0, mean: 0, cv: 0, none: 0 })
  t.equal(spread([0, 0]).cv, 0)
})

t.test('histogram', async (t) => {
  t.strictSame(histogram([]), [])
  t.strictSame(histogram([5, 5]), [{ from: 5, to: 6, count: 2 }])
  t.strictSame(histogram([0, 1, 2, 3, 4], 2), [
    { from: 0, to: 3, count: 3 },
    { from: 3, to: 6, count: 2 },
  ])
  const values = Array.from({ length: 500 }, (_, i) => (i * 37) % 211)
  const bins = histogram(values)
  t.ok(bins.length <= 32)
  for (const { from, to, count } of bins)
    t.equal(values.filter((value) => value >= from && value < to).length, count)
  t.equal(
    bins.reduce((sum, { count }) => sum + count, 0),
    values.length,
  )
})

t.test('dead neurons have no connection in or none out', async (t) => {
  const first = { ...layer('sparse', 4, 4), fanIn: [1, 0, 2, 1] }
  const second = { ...layer('sparse', 4, 3), fanOut: [0, 0, 1, 1], fanIn: [0, 1, 1] }
  t.strictSame(deadNeurons([first, layer('dropout', 4, 4), second, layer('dense', 3, 2)]), [2, null, 1, null])
})

t.test('inputs are ranked, equals by index', async (t) => {
  t.strictSame(rankInputs([1, 3, 3], ['a', 'b', 'c']), [
    { index: 1, name: 'b', connections: 3, share: 3 / 7 },
    { index: 2, name: 'c', connections: 3, share: 3 / 7 },
    { index: 0, name: 'a', connections: 1, share: 1 / 7 },
  ])
  t.equal(rankInputs([0, 0], null)[0]!.share, 0)
  t.equal(rankInputs([1], null)[0]!.name, 'input 0')
})

t.test('ticks are whole numbers at round steps', async (t) => {
  t.strictSame(wholeTicks(1, 3, 12), [1, 2, 3])
  t.strictSame(wholeTicks(1, 20, 12), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
  t.strictSame(wholeTicks(100, 7000, 7), [1000, 2000, 3000, 4000, 5000, 6000, 7000])
  t.strictSame(wholeTicks(5, 5, 4), [5])
  t.strictSame(wholeTicks(0, 0, 4), [0])
})

t.test('numbers for people', async (t) => {
  t.equal(formatCount(1234567), '1,234,567')
  t.equal(formatShort(195381), '195K')
  t.equal(formatPercent(0.89345), '89.34 %')
  t.equal(formatPercent(null), '-')
  t.strictSame([4.321, 43.21, 75, 3700].map(formatSeconds), ['4.32 s', '43.2 s', '1 min 15 s', '1 h 2 min'])
  t.strictSame([0, 1023, 1536, 20 * 2 ** 20].map(formatBytes), ['0 B', '1023 B', '1.50 KiB', '20.0 MiB'])
})

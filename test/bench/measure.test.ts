import t from 'tap'
import { breakEvenText } from '../../bench/break-even.js'
import { glance, measure } from '../../bench/measure.js'
import { busy } from './made-up-run.js'

t.test('fast work is timed in many samples, slow work in three', async (t) => {
  const fast = measure(busy(0.5), 0.3)
  t.ok(fast.samples >= 7)
  t.ok(fast.milliseconds >= 0.5)
  t.ok(fast.spread >= 0)
  let runs = 0
  const slow = measure(() => {
    runs++
    busy(5)()
  }, 0.001)
  t.equal(slow.samples, 3)
  t.equal(runs, 4, 'one of them to warm up')
})

t.test('an error in the work is an error of the timing', async (t) => {
  const broken = () => {
    throw new Error('out of order')
  }
  t.throws(() => measure(broken, 0.01), /out of order/)
  let runs = 0
  const breaks = () => {
    if (++runs > 3) throw new Error('later on')
  }
  t.throws(() => measure(breaks, 1), /later on/)
})

t.test('a glance takes the fastest of a few runs', async (t) => {
  const seconds = glance(busy(2))
  t.ok(seconds >= 0.002)
})

t.test('break-even in words', async (t) => {
  t.equal(breakEvenText([]), '-')
  t.equal(breakEvenText([{ sparsity: 0.5, speedup: 1.1 }]), 'below 50 %')
  t.equal(breakEvenText([{ sparsity: 0.9, speedup: 0.9 }]), 'above 90 %')
  const points = [
    { sparsity: 0.5, speedup: 0.5 },
    { sparsity: 0.75, speedup: 1 },
  ]
  t.equal(breakEvenText(points), '75 %')
})

import t from 'tap'
import { Random } from '../../lib/data/random.js'

const words = (random: Random) => Array.from({ length: 4 }, () => random.bits().toString(16).padStart(8, '0'))

t.test('Philox 4x32-10 gives the published numbers', async (t) => {
  // The known answer of Random123 for key 0 and counter 0.
  t.same(words(new Random(0)), ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'])
})

t.test('seeds and streams differ, and repeat', async (t) => {
  const first = words(new Random(5, 7))
  t.same(words(new Random(5, 7)), first)
  for (const other of [
    new Random(5, 8),
    new Random(6, 7),
    new Random(5 + 2 ** 32, 7),
    new Random(5, 7 + 2 ** 32),
  ]) {
    t.notSame(words(other), first)
  }
})

t.test('distributions', async (t) => {
  const random = new Random(1)
  const count = 100_000
  let sum = 0
  let squares = 0
  const hits = new Array<number>(7).fill(0)
  for (let i = 0; i < count; i++) {
    const value = random.normal()
    sum += value
    squares += value * value
    hits[random.below(7)]!++
    const uniform = random.uniform(2, 3)
    if (!(uniform >= 2 && uniform < 3)) t.fail(`uniform gave ${uniform}`)
  }
  t.ok(Math.abs(sum / count) < 0.02, 'mean 0')
  t.ok(Math.abs(squares / count - 1) < 0.03, 'variance 1')
  for (const hit of hits) t.ok(Math.abs(hit - count / 7) < 600, 'every number alike')
  const shuffled = random.shuffle([...Array(50).keys()])
  t.notSame(shuffled, [...Array(50).keys()])
  t.same(
    [...shuffled].sort((a, b) => a - b),
    [...Array(50).keys()],
  )
})

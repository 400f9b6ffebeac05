import t from 'tap'
import { noAddon } from '../model/support.js'
import { fuzz, inputOf } from './fuzz.js'
import { mutate } from './mutate.js'
import { targets } from './targets.js'

/** A short look at every reader; `npm run fuzz` takes a long one. */
const inputs = 300

for (const target of targets) {
  t.test(`mutated inputs of ${target.name}`, { skip: noAddon }, async (t) => {
    const { accepted, failures } = await fuzz(target, { inputs, seed: 20, folder: t.testdir() })
    t.strictSame(
      failures.map(({ input, what }) => `input ${input}: ${what}`),
      [],
    )
    t.ok(accepted < inputs, 'changes are noticed')
  })
}

t.test('the same seed makes the same inputs, another one others', async (t) => {
  const material = {
    bytes: Buffer.from('one of many'),
    other: Buffer.from('another'),
    tokens: [Buffer.from('{')],
  }
  t.strictSame(mutate(material, 5), mutate(material, 5))
  const made = new Set(Array.from({ length: 100 }, (_, seed) => mutate(material, seed).toString('latin1')))
  t.ok(made.size > 80, `${made.size} different ones`)
  const [target] = targets
  const seeds = await target!.seeds(t.testdir())
  t.strictSame(inputOf(seeds, target!, 1, 9), inputOf(seeds, target!, 1, 9))
  t.notSame(inputOf(seeds, target!, 1, 9), inputOf(seeds, target!, 2, 9))
})

t.test('what goes wrong is found', async (t) => {
  const broken = (read: () => Promise<unknown>) => {
    let calls = 0
    // The seed itself is read well.
    return {
      name: 'broken',
      extension: 'x',
      tokens: [Buffer.from('x')],
      seeds: async () => [{ bytes: Buffer.from('x') }],
      read: async () => (calls++ === 0 ? null : read()),
    }
  }
  const options = { inputs: 3, seed: 1, folder: t.testdir() }
  const thrown = await fuzz(
    broken(() => Promise.reject(new TypeError('no'))),
    options,
  )
  t.match(thrown.failures, [{ input: 0, what: /TypeError: no/ }, { input: 1 }, { input: 2 }])
  const greedy = await fuzz(
    broken(async () => Buffer.alloc(2 ** 29, 1)[5]),
    { ...options, inputs: 1 },
  )
  t.match(greedy.failures, [{ what: /the process grew from \d+ to \d+ MB/ }])
})

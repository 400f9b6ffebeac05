import t from 'tap'
import { type PeerRecord, recordOf, sameLoss, slugOf, summarize } from '../../bench/peers/records.js'
import { samplesOf } from '../../bench/peers/samples.js'
import { nervaTable, stepTable } from '../../bench/peers/tables.js'
import { type Outcome, tasksOf } from '../../bench/peers/task.js'

const plan = { threads: [1, 2], sparsities: [0.8, 0.9], nervaSparsities: [0.99], seconds: 1 }
const [step] = tasksOf(plan)
const nerva = tasksOf(plan).at(-1)!
const outcome = (what: Partial<Outcome> = {}): Outcome => ({
  version: '1.0',
  note: 'somehow',
  loss: 2,
  milliseconds: [5, 4, 6],
  ...what,
})

t.test('a plan becomes one task for each number of threads and sparsity', async (t) => {
  const tasks = tasksOf(plan)
  t.strictSame(
    tasks.map(({ name, threads, sparsity }) => [name, threads, sparsity]),
    [
      ['step', 1, 0.8],
      ['step', 1, 0.9],
      ['step', 2, 0.8],
      ['step', 2, 0.9],
      ['nerva', 2, 0.99],
    ],
  )
  for (const { samples, batch, checkSteps } of tasks) {
    t.equal(samples % batch, 0, 'all batches are whole')
    t.ok(checkSteps * batch <= samples)
  }
})

t.test('median and spread', async (t) => {
  t.strictSame(summarize([3, 1, 2, 5, 4]), { median: 3, spread: 1 })
  t.strictSame(summarize([1, 2]), { median: 1.5, spread: 0.25 })
  t.strictSame(summarize([7]), { median: 7, spread: 0 })
  t.throws(() => summarize([]))
})

t.test('a record holds both sides', async (t) => {
  const record = recordOf('peer', step!, outcome(), outcome({ milliseconds: [1, 2, 3] }), 'machine')
  t.match(record, { peer: 'peer', version: '1.0', milliseconds: 5, spread: 0.5, espalierMilliseconds: 2 })
  t.equal(record.shape, '784-1024-1024-10')
  t.notOk('epochSeconds' in record)
  const epoch = recordOf('peer', nerva, outcome(), outcome({ milliseconds: [2] }), 'machine')
  t.equal(epoch.epochSeconds, 2.5, '500 steps of 5 ms')
  t.equal(epoch.espalierEpochSeconds, 1)
})

t.test('a peer that fails or does something else has no time', async (t) => {
  const failed = recordOf('peer', nerva, new Error('no such module'), outcome(), 'machine')
  t.match(failed, { milliseconds: null, spread: null, version: '', note: 'no such module' })
  t.notOk('epochSeconds' in failed)
  const different = recordOf('peer', step!, outcome({ loss: 2.1 }), outcome(), 'machine')
  t.equal(different.milliseconds, null)
  t.match(different.note, 'not the same task')
  t.ok(sameLoss(2.0001, 2))
  t.notOk(sameLoss(Number.NaN, 2))
})

t.test('a machine gives a name for a file', async (t) => {
  t.equal(slugOf('AMD EPYC 9R14 96-Core Processor'), 'amd-epyc-9r14-96-core-processor')
  t.equal(slugOf('Intel(R) Xeon(R) CPU @ 2.20GHz'), 'intel-xeon-cpu-2-20ghz')
})

t.test('samples are the same every time, and every one has its turn', async (t) => {
  const shape = { sizes: [6, 4, 3], samples: 50 }
  const { values, labels, order } = samplesOf(shape)
  t.strictSame(samplesOf(shape), { values, labels, order })
  t.equal(values.length, 300)
  t.strictSame(new Set(labels), new Set([0, 1, 2]))
  t.strictSame(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i),
  )
})

t.test('tables show each kind of task by itself', async (t) => {
  const records: PeerRecord[] = [
    recordOf('first', step!, outcome(), outcome({ milliseconds: [2] }), 'machine'),
    recordOf('second', step!, new Error('broken'), outcome(), 'machine'),
    recordOf('third', nerva, outcome(), outcome({ milliseconds: [2] }), 'machine'),
  ]
  t.match(stepTable(records), /first.*2\.50x/)
  t.match(stepTable(records), /second.*broken/)
  t.notMatch(stepTable(records), /third/)
  t.match(nervaTable(records), /0\.99.*third.*2\.50.*1\.00.*2\.87.*12\.2/)
})

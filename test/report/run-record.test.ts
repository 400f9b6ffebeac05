import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readRunRecord, writeRunRecord } from '../../lib/report/run-record.js'
import { madeUp } from './made-up.js'

t.test('a record comes back as it was written', async (t) => {
  const path = join(t.testdir(), 'run.json')
  // Text that looks like the lists whose lines are joined must stay.
  const record = madeUp({ name: '[\n 1,\n 2 ] "quoted" \u2028', command: '[  1 ]' })
  await writeRunRecord(path, record)
  t.strictSame(await readRunRecord(path), record)
  t.match(readFileSync(path, 'utf8'), '"fanIn": [3,4,5,3,')
})

t.test('a loss that is not a number becomes null', async (t) => {
  const path = join(t.testdir(), 'run.json')
  const record = madeUp()
  record.history[0]!.train.loss = Number.NaN
  record.result.trainLoss = Number.POSITIVE_INFINITY
  await writeRunRecord(path, record)
  const read = await readRunRecord(path)
  t.equal(read.history[0]!.train.loss, null)
  t.equal(read.result.trainLoss, null)
})

t.test('what is not a record is refused with file and place', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'run.json')
  await t.rejects(readRunRecord(path), { code: 'ERR_ESPALIER_NOT_FOUND', message: path })
  await t.rejects(readRunRecord(folder), { code: 'ERR_ESPALIER_FILE', message: folder })
  writeFileSync(path, '{"format": "espali')
  await t.rejects(readRunRecord(path), { code: 'ERR_ESPALIER_FORMAT', message: /run\.json: not JSON/ })
  writeFileSync(path, '{}')
  await t.rejects(readRunRecord(path), { code: 'ERR_ESPALIER_FORMAT', message: /run\.json: .*at format/ })
  const { result, ...rest } = madeUp()
  writeFileSync(path, JSON.stringify({ ...rest, result: { ...result, epochs: -1 } }))
  await t.rejects(readRunRecord(path), { code: 'ERR_ESPALIER_FORMAT', message: /at result\.epochs/ })
})

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { lockFolder } from '../../lib/experiment/lock.js'

const since = '2024-05-06T07:08:09.000Z'

/** The number of a process that is no more. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid

t.test('one holder at a time', async (t) => {
  const folder = t.testdir()
  const unlock = await lockFolder(folder)
  t.match(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8')), { pid: process.pid, host: hostname() })
  await t.rejects(lockFolder(folder), {
    code: 'ERR_ESPALIER_STATE',
    message: new RegExp(`is in use by another comparison \\(process ${process.pid} on `),
  })
  t.strictSame(readdirSync(folder), ['lock'], 'nothing else is left')
  await unlock()
  t.strictSame(readdirSync(folder), [])
  const again = await lockFolder(folder)
  await again()
})

t.test('of many at once one gets it', async (t) => {
  const folder = t.testdir()
  const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)))
  t.equal(taken.filter(({ status }) => status === 'fulfilled').length, 1)
})

t.test('the lock of a dead process is taken over, also by many at once', async (t) => {
  for (const stale of [
    JSON.stringify({ pid: deadPid(), host: hostname(), since }),
    // A process number that came round again: this process does not hold it.
    JSON.stringify({ pid: process.pid, host: hostname(), since }),
    'not a lock',
    '',
  ]) {
    const folder = t.testdir({ lock: stale })
    const taken = await Promise.allSettled(Array.from({ length: 16 }, () => lockFolder(folder)))
    const held = taken.filter((one) => one.status === 'fulfilled')
    t.equal(held.length, 1, stale)
    await held[0]!.value()
    t.notOk(existsSync(join(folder, 'lock')))
  }
})

t.test('what another machine holds is left alone', async (t) => {
  const text = JSON.stringify({ pid: deadPid(), host: 'elsewhere', since })
  const folder = t.testdir({ lock: text })
  await t.rejects(lockFolder(folder), {
    code: 'ERR_ESPALIER_STATE',
    message: /on elsewhere, since 2024.*remove .*lock/,
  })
  t.equal(readFileSync(join(folder, 'lock'), 'utf8'), text)
})

t.test('a folder that is not there', async (t) => {
  const folder = join(t.testdir(), 'absent')
  await t.rejects(lockFolder(folder), {
    code: 'ERR_ESPALIER_FILE',
    message: /cannot lock .*no such file or folder/,
  })
  writeFileSync(folder, '')
  await t.rejects(lockFolder(folder), { code: 'ERR_ESPALIER_FILE' })
})

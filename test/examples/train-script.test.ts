/** The example as its readers start it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Network } from '../../lib/index.js'
import { needsAddon, smallTable } from '../cli/process.js'

const script = fileURLToPath(new URL('../../examples/train-script/train.js', import.meta.url))

t.test('it trains on what it is given, tells so, and saves the network', needsAddon, async (t) => {
  const cwd = t.testdir()
  writeFileSync(join(cwd, 'table.csv'), smallTable())
  const runs: [string[], number, number][] = [
    [['--data', 'table.csv', '--epochs', '3'], 3, 3],
    [['--epochs', '1'], 1, 784],
  ]
  for (const [args, epochs, inputs] of runs) {
    const printed = execFileSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8' })
    const lines = printed.trimEnd().split('\n')
    t.equal(lines.length, epochs)
    for (const line of lines) t.match(line, /^epoch \d: \d+\.\d % of test samples right$/)
    using network = await Network.load(join(cwd, 'model.safetensors'))
    t.same([network.description.inputs, network.progress.epochs], [inputs, epochs])
  }
})

t.test('a file that is not there is an error that names it', needsAddon, (t) => {
  const { status, stderr } = spawnSync(process.execPath, [script, '--data', './none.csv'], {
    encoding: 'utf8',
  })
  t.not(status, 0)
  t.match(stderr, /ERR_ESPALIER_NOT_FOUND/)
  t.match(stderr, /none\.csv/)
  t.end()
})

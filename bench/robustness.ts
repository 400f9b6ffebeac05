import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Table from 'cli-table3'
import { Command, InvalidArgumentError, Option } from 'commander'
import { loadEspalier } from './espalier.js'
import { resultFolder } from './results.js'
import { cancel } from './robustness/cancel.js'
import { eventLoop } from './robustness/event-loop.js'
import { kill } from './robustness/kill.js'
import { leaks } from './robustness/leaks.js'
import { type Finding, threads } from './robustness/setting.js'
import { workers } from './robustness/workers.js'

// What a service relies on, measured: npm run bench:robustness. The numbers in brackets are those of the whole measurement.

const parts: Record<string, (share: number) => Promise<Finding[]>> = {
  'event-loop': (share) => eventLoop(Math.max(2, 30 * share)),
  cancel: (share) => cancel(Math.ceil(50 * share)),
  leaks: (share) => leaks(Math.max(150, Math.ceil(1000 * share))),
  workers: (share) => workers(Math.max(30, Math.ceil(100 * share))),
  kill: (share) => kill(Math.ceil(200 * share)),
}

const command = new Command('npm run bench:robustness --')
  .description('Measures what a service relies on: event loop, cancel, memory, workers, checkpoints.')
  .addOption(new Option('--part <name>', 'one part alone').choices(Object.keys(parts)))
  .option(
    '--share <number>',
    'of the repetitions, 0 to 1',
    (text) => {
      const share = Number(text)
      if (!(share > 0 && share <= 1))
        throw new InvalidArgumentError('A number above 0 and up to 1 is needed.')
      return share
    },
    1,
  )
  .option('--json <file>', 'where the findings go', join(resultFolder, 'robustness.json'))
  .parse()
const options = command.opts<{ part?: string; share: number; json: string }>()

const findings: Finding[] = []
for (const [name, measure] of Object.entries(parts)) {
  if (options.part !== undefined && options.part !== name) continue
  process.stderr.write(`${name} ...\n`)
  findings.push(...(await measure(options.share)))
}
const { describeMachine } = await loadEspalier()
const table = new Table({
  head: ['what', 'measured', 'wanted', 'met'],
  colWidths: [60, 60, 20, 6],
  wordWrap: true,
})
for (const { what, measured, wanted, met } of findings)
  table.push([what, measured, wanted, met ? 'yes' : 'NO'])
console.log(table.toString())
mkdirSync(dirname(options.json), { recursive: true })
writeFileSync(
  options.json,
  `${JSON.stringify({ date: new Date().toISOString(), machine: describeMachine(threads, { device: 'cpu', precision: 'float32' }), findings }, null, 2)}\n`,
)
process.exitCode = findings.every(({ met }) => met) ? 0 : 1

import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { repository } from './addon.js'
import { peers } from './peers/catalogue.js'
import { writeTask } from './peers/files.js'
import { peersFolder } from './peers/install.js'
import { available, calmOfProcesses, measure, processor } from './peers/measure.js'
import { type PeerRecord, slugOf } from './peers/records.js'
import { nervaTable, stepTable } from './peers/tables.js'
import { type Plan, tasksOf } from './peers/task.js'

function planOf(quick: boolean): Plan {
  const all = availableParallelism()
  return {
    threads: quick || all === 1 ? [all] : [1, all],
    sparsities: quick ? [0.9, 0.99] : [0.8, 0.9, 0.95, 0.99],
    nervaSparsities: quick ? [0.9] : [0.9, 0.95, 0.99],
    seconds: quick ? 1 : 4,
  }
}

const program = new Command('npm run bench:peers --')
  .description(
    'Times whole training steps of other libraries and of Espalier, on the same task in the same run.',
  )
  .addOption(new Option('--peer <name>', 'only this one').choices(peers.map(({ name }) => name)))
  .option('--quick', 'fewer tasks, shorter timings')
  .option(
    '--json <file>',
    'where the records go; default, for a whole run: bench/results/peers-<machine>.json',
  )
  .parse()
const options = program.opts<{ peer?: string; quick?: boolean; json?: string }>()
const whole = options.peer === undefined && options.quick !== true
const whereTo = whole ? join(repository, 'bench', 'results', `peers-${slugOf(processor)}.json`) : undefined
const json = options.json ?? whereTo

// OpenMP's threads spin while they wait: on a busy machine the peers lose tens of times over.
const load = loadavg()[0] ?? 0
if (load > 0.5) console.error(`This machine is busy (load ${load.toFixed(1)}): these times will mean little.`)

const chosen = await available(
  peers.filter(({ name }) => options.peer === undefined || name === options.peer),
)
const records: PeerRecord[] = []
const calm = calmOfProcesses()
for (const plain of tasksOf(planOf(options.quick === true))) {
  const task = await writeTask(plain, join(peersFolder, 'tasks'))
  for (const peer of chosen.filter(({ tasks }) => tasks.includes(task.name))) {
    const record = await measure(peer, task, calm)
    records.push(record)
    const took = record.milliseconds === null ? 'failed' : `${record.milliseconds.toFixed(3)} ms`
    const what = `${task.name}, ${task.threads} threads, ${task.sparsity}: ${peer.name} ${record.version}`
    console.error(`${what} ${took}, Espalier ${record.espalierMilliseconds.toFixed(3)} ms (${record.note})`)
  }
}

if (records.some(({ task }) => task === 'step')) {
  console.log('A whole training step, 784-1024-1024-10, batch 128, SGD with momentum:')
  console.log(stepTable(records))
}
if (records.some(({ task }) => task === 'nerva')) {
  console.log("Nerva's protocol, 3072-1024-512-10, batch 100, Nesterov: seconds an epoch of 50,000 samples.")
  console.log('The published numbers come from its authors and their machine; compare columns with care.')
  console.log(nervaTable(records))
}
if (json !== undefined) writeFileSync(json, `${JSON.stringify(records, null, 2)}\n`)

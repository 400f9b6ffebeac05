import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import Table from 'cli-table3'
import { Command, InvalidArgumentError, Option } from 'commander'
import { loadBenchAddon } from './addon.js'
import { describeMachine } from './machine.js'
import { percent, times } from './markdown.js'
import { measureMemory } from './memory.js'
import {
  type FailureRecord,
  type Run,
  type SuiteName,
  speedup,
  suiteNames,
  type TimingRecord,
} from './records.js'
import { memoryHead, memoryRows } from './report/whole.js'
import { readResults } from './results.js'
import { planOf, type Scale } from './suites/plan.js'
import { measureCeilings, timeGroups } from './suites/run.js'
import { judge, judgementRows } from './targets.js'

interface Options {
  quick?: boolean
  targets?: boolean
  suite?: SuiteName[]
  json?: string
}

const secondsOf: Record<Scale, number> = { full: 0.4, quick: 0.15, targets: 0.6 }

function readSuites(list: string): SuiteName[] {
  const names = list.split(',')
  const wrong = names.find((name) => !suiteNames.some((known) => known === name))
  if (wrong !== undefined)
    throw new InvalidArgumentError(`There is no suite "${wrong}"; there are ${suiteNames.join(', ')}.`)
  return names as SuiteName[]
}

const command = new Command('npm run bench --')
  .description('Times sparse products, training steps and more against dense ones in the same run.')
  .option('--quick', 'fewer shapes and sparsities; about two minutes')
  .addOption(
    new Option(
      '--targets',
      'only what the targets need, each figure beside its target; about four minutes',
    ).conflicts('quick'),
  )
  .addOption(new Option('--suite <names>', `which of ${suiteNames.join(', ')}`).argParser(readSuites))
  .option('--json <file>', 'also write everything to a file; "npm run bench:report" reads bench/results')
  .parse()
const options = command.opts<Options>()
const scale: Scale = options.targets ? 'targets' : options.quick ? 'quick' : 'full'

function plainTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}

const milliseconds = (value: number) => (value < 1 ? value.toFixed(4) : value.toFixed(3))

function rowOf(record: TimingRecord): string[] {
  const { suite, shape, batch, threads, block, precision, sparsity, rule, dense, masked } = record
  return [
    rule === undefined ? suite : `${suite} ${rule}`,
    shape,
    String(batch),
    String(threads),
    precision === 'float32' ? block : `${block} ${precision}`,
    percent(sparsity),
    `${milliseconds(record.milliseconds)} ± ${milliseconds(record.spread)}`,
    dense === null ? '-' : `${milliseconds(dense.milliseconds)} ± ${milliseconds(dense.spread)}`,
    masked == null ? '-' : milliseconds(masked.milliseconds),
    times(speedup(record)),
  ]
}

const addon = loadBenchAddon()
const { missing } = addon.libraries()
const machine = describeMachine(addon)
const run: Run = { machine, ceilings: [], timings: [], memory: [], failures: [] }

function save(): void {
  if (options.json === undefined) return
  mkdirSync(dirname(options.json), { recursive: true })
  writeFileSync(options.json, `${JSON.stringify(run, null, 1)}\n`)
}

const { processor, processors, node, instructionSet, libraries } = machine
console.log(`${processor}, ${processors} processors, Node ${node}, ${instructionSet} kernels`)
for (const { name, description } of libraries) console.log(`dense: ${name}: ${description}`)
for (const { name, reason } of missing) console.log(`dense: no ${name}: ${reason}`)
if (libraries.length === 0)
  console.log('There is nothing dense to compare with (Debian: apt-get install libopenblas0).')
if (!machine.pinned) console.log('Threads cannot be bound to processors on this system.')

const chosen = options.suite ?? suiteNames
const groups = planOf(scale, processors).filter(({ suite }) => chosen.includes(suite))
if (groups.length > 0) run.ceilings = measureCeilings(addon, processors)
const failed = (failure: FailureRecord) => {
  run.failures.push(failure)
  console.error(`FAILED ${failure.what}: ${failure.message}`)
}
run.timedDisturbed = await timeGroups(addon, groups, secondsOf[scale], {
  timed(record) {
    run.timings.push(record)
    console.error(rowOf(record).join('  '))
    save()
  },
  failed,
})
// Timed work has left this thread bound to one processor, which the memory's processes would inherit.
addon.bindToProcessors(processors)
if (chosen.includes('memory') && process.platform === 'linux') {
  await measureMemory(scale === 'full', {
    measured(record) {
      run.memory.push(record)
      const { sparsity, block, megabytes } = record
      console.error(`memory  ${percent(sparsity)}  ${block}  ${megabytes.toFixed(1)} MB`)
    },
    failed,
  })
}
save()

const timingHead = [
  ...['suite', 'shape', 'batch', 'threads', 'block', 'sparsity'],
  ...['sparse ms', 'dense ms', 'masked ms', 'of dense'],
]
if (options.targets) {
  const head = ['target', 'asked', 'measured', 'met', 'what holds it back']
  console.log(plainTable(head, judgementRows(judge({ ...readResults(), run }))))
} else {
  if (run.timings.length > 0) console.log(plainTable(timingHead, run.timings.map(rowOf)))
  if (run.memory.length > 0) console.log(plainTable(memoryHead, memoryRows(run)))
}
if (run.failures.length > 0) process.exitCode = 1

import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import Table from 'cli-table3'
import { Command } from 'commander'
import { type BenchAddon, loadBenchAddon } from './addon.js'
import { type BenchRecord, type Plan, runProducts, runSteps } from './suites.js'

// OpenBLAS 0.3.21 takes its AVX2 kernels on processors that it does not know, at about half the speed; it reads this when
// it is opened.
function chooseOpenBlasKernels(addon: BenchAddon): void {
  if (addon.instructionSet() === 'avx512') process.env.OPENBLAS_CORETYPE ??= 'SKYLAKEX'
}

function openBlas(addon: BenchAddon): string | null {
  try {
    return addon.describeOpenBlas()
  } catch (error) {
    console.error(
      `OpenBLAS is not here, so there is nothing dense to compare with (Debian: apt-get install libopenblas0).`,
    )
    console.error(error instanceof Error ? error.message : String(error))
    return null
  }
}

function planOf(quick: boolean): Plan {
  const all = availableParallelism()
  return {
    sizes: quick ? [1024] : [1024, 4096],
    productBatch: 256,
    stepSizes: [784, 1024, 1024, 10],
    stepBatch: 128,
    sparsities: quick ? [0.9, 0.95, 0.99] : [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999],
    threads: all === 1 ? [1] : [1, all],
    seconds: quick ? 0.4 : 0.8,
  }
}

function tableOf(records: readonly BenchRecord[]): string {
  const table = new Table({
    head: ['suite', 'shape', 'batch', 'threads', 'block', 'sparsity', 'sparse ms', 'dense ms', 'speed-up'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right', 'right', 'left', 'right', 'right', 'right', 'right'],
  })
  for (const r of records) {
    table.push([
      r.suite,
      r.shape,
      r.batch,
      r.threads,
      r.block,
      r.sparsity,
      `${r.milliseconds.toFixed(3)} ± ${r.spread.toFixed(3)}`,
      r.denseMilliseconds === null ? '-' : `${r.denseMilliseconds.toFixed(3)} ± ${r.denseSpread?.toFixed(3)}`,
      r.speedup === null ? '-' : `${r.speedup.toFixed(2)}x`,
    ])
  }
  return table.toString()
}

const program = new Command('npm run bench --')
  .description(
    'Times sparse products and training steps against dense ones through OpenBLAS, in the same run.',
  )
  .option('--quick', 'fewer shapes and sparsities; ends within five minutes')
  .option('--json <file>', 'also write the records to a file')
  .parse()
const options = program.opts<{ quick?: boolean; json?: string }>()

const addon = loadBenchAddon()
chooseOpenBlasKernels(addon)
const library = openBlas(addon)
const plan = planOf(options.quick === true)
console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads, Node ${process.version}`,
)
console.log(`sparse: ${addon.instructionSet()} kernels; dense: ${library ?? 'none'}`)

const records: BenchRecord[] = []
const report = (record: BenchRecord) => {
  records.push(record)
  const { suite, shape, threads, block, sparsity, milliseconds, speedup } = record
  console.error(
    `${suite} ${shape} ${threads} threads ${block} ${sparsity}: ${milliseconds.toFixed(3)} ms, ${speedup?.toFixed(2) ?? '-'}x`,
  )
}
runProducts(addon, plan, library, report)
runSteps(addon, plan, library, report)
console.log(tableOf(records))
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(records, null, 2)}\n`)

import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Command } from 'commander'
import { repository } from './addon.js'
import { type Line, ofKind } from './cuda/lines.js'
import { drawSpeedups } from './cuda/plot.js'
import { cardState, runProgram } from './cuda/program.js'
import { markdownOf } from './cuda/tables.js'
import { targetsOf } from './cuda/targets.js'

interface Options {
  quick?: boolean
  tiny?: boolean
  json?: string
  seconds?: string
  program: string
}

const command = new Command('npm run bench:cuda --')
  .description('Times products and training steps on the GPU against cuSPARSE, dense cuBLAS and masks.')
  .option('--quick', 'fewer sizes and sparsities; about a minute')
  .option('--tiny', 'a few tiny cells, to see that everything works')
  .option('--seconds <number>', 'time for all of it (default: 480, with --quick 60)')
  .option(
    '--json <file>',
    'where the measurements go; a .md and a .svg are laid beside it (default: bench/results/<card>-cuda.json)',
  )
  .option(
    '--program <file>',
    'the native program',
    join(repository, 'build', 'Release', 'espalier_cuda_bench'),
  )
  .parse()
const options = command.opts<Options>()
const seconds = Number(options.seconds ?? (options.quick ? 60 : 480))
if (!(seconds > 0)) command.error(`--seconds must be a number above 0, not ${options.seconds}`)

/** "NVIDIA H200" -> bench/results/h200-cuda.json */
function defaultFile(lines: readonly Line[]): string {
  const card = ofKind(lines, 'header')[0]?.card ?? 'unknown'
  const slug = card
    .toLowerCase()
    .replace(/^nvidia\s+/, '')
    .replace(/[^a-z0-9]+/g, '-')
  const suffix = options.quick ? '-quick' : ''
  return join(repository, 'bench', 'results', `${slug}-cuda${suffix}.json`)
}

function tell(line: Line): void {
  if (line.kind === 'header') console.error(`${line.card}, CUDA ${line.runtime}, driver ${line.driver}`)
  else if (line.kind === 'failure') console.error(`FAILED ${line.cell}: ${line.message}`)
  else if (line.kind === 'leftOut') console.error(`no time was left for ${line.count} measurements`)
  else if (line.kind === 'end') console.error(`${line.part}: ${line.seconds.toFixed(0)} s`)
}

/** Keeps each line as it comes, so that a run that is killed loses none. */
const partial = options.json?.replace(/(\.json)?$/, '.partial.jsonl')
function keep(line: Line): void {
  if (partial !== undefined) appendFileSync(partial, `${JSON.stringify(line)}\n`)
}

try {
  const before = cardState()
  if (partial !== undefined) {
    mkdirSync(dirname(partial), { recursive: true })
    writeFileSync(partial, '')
  }
  const lines = await runProgram({
    program: options.program,
    scale: options.tiny ? 'tiny' : options.quick ? 'quick' : 'full',
    seconds,
    report: (line) => {
      keep(line)
      tell(line)
    },
  })
  const file = options.json ?? defaultFile(lines)
  const base = file.replace(/\.json$/, '')
  const targets = targetsOf(lines)
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    before,
    after: cardState(),
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ machine, targets, lines }, null, 1)}\n`)
  const markdown = markdownOf(lines, `${base.split('/').at(-1)}.svg`)
  writeFileSync(`${base}.md`, markdown)
  console.log(markdown.split('\n## ')[2] ?? markdown)
  if (ofKind(lines, 'product').length > 0) writeFileSync(`${base}.svg`, await drawSpeedups(lines))
  if (partial !== undefined) rmSync(partial)
  console.error(`${relative(process.cwd(), base)}.json, .md and .svg are written`)
  if (!lines.some(({ kind }) => kind === 'header')) process.exitCode = 1
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

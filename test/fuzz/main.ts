/** `npm run fuzz`: gives every reader mutated inputs, each in a thread that is watched for inputs that never end. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Command, Option } from 'commander'
import { type FuzzResult, fuzz, inputOf, lanes } from './fuzz.js'
import { targets } from './targets.js'

interface Options {
  inputs: number
  seed: number
  first: number
  target?: string[]
}

interface Work {
  name: string
  folder: string
  options: Options
  /** The number of the input under way. */
  progress: Int32Array
}

/** Seconds without a new input after which a reader hangs. */
const patience = 30
const kept = fileURLToPath(new URL('../../fuzz/', import.meta.url))

async function main(options: Options): Promise<void> {
  const chosen = targets.filter(({ name }) => options.target === undefined || options.target.includes(name))
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const folder = mkdtempSync(join(memory, 'espalier-fuzz-'))
  let failed = false
  try {
    for (const { name } of chosen) {
      const { inputs, seconds, accepted, failures } = await inThread({
        name,
        folder,
        options,
        progress: sharedNumber(),
      })
      const speed = (inputs / seconds).toFixed(0)
      const share = ((100 * accepted) / inputs).toFixed(1)
      console.log(
        `${name}: ${inputs} inputs, ${seconds.toFixed(0)} s, ${speed} inputs/s, ${share} % accepted, ${failures.length} failures`,
      )
      for (const { input, what, bytes } of failures) {
        failed = true
        mkdirSync(kept, { recursive: true })
        const file = join(kept, `${name.replaceAll(' ', '-')}-${options.seed}-${input}`)
        writeFileSync(file, bytes)
        console.log(`  input ${input}, kept as ${file}: ${what}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  if (failed) process.exitCode = 1
}

const sharedNumber = () => new Int32Array(new SharedArrayBuffer(4))

/** The result of a target; a thread that hangs or dies is ended, with the input that it was at. */
function inThread(work: Work): Promise<FuzzResult> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: work })
  const started = performance.now()
  return new Promise((resolve) => {
    let last = -1
    let since = performance.now()
    const end = async (what: string) => {
      clearInterval(watch)
      const input = Atomics.load(work.progress, 0)
      await worker.terminate()
      const bytes = await madeAgain(work, input)
      const inputs = input - work.options.first + 1
      const seconds = (performance.now() - started) / 1000
      resolve({ inputs, seconds, accepted: 0, failures: [{ input, what, bytes }] })
    }
    const watch = setInterval(() => {
      const now = Atomics.load(work.progress, 0)
      if (now !== last) since = performance.now()
      last = now
      if (performance.now() - since > patience * 1000)
        void end(`nothing happened for ${patience} s, in this input or in one of the ${lanes - 1} before it`)
    }, 1000)
    worker.once('message', (result: FuzzResult) => {
      clearInterval(watch)
      resolve(result)
    })
    worker.once(
      'error',
      (error) =>
        void end(
          `it escaped to the event loop, here or in one of the ${lanes - 1} inputs before: ${error.stack}`,
        ),
    )
  })
}

async function madeAgain({ name, folder, options }: Work, input: number): Promise<Buffer> {
  const target = targetNamed(name)
  return inputOf(await target.seeds(folder), target, options.seed, input)
}

const targetNamed = (name: string) => targets.find((target) => target.name === name)!

async function work({ name, folder, options, progress }: Work): Promise<void> {
  const { inputs, seed, first } = options
  const before = (input: number) => Atomics.store(progress, 0, input)
  parentPort!.postMessage(await fuzz(targetNamed(name), { inputs, seed, first, folder, before }))
}

if (isMainThread) {
  const whole = (text: string) => Number.parseInt(text, 10)
  const options = new Command('npm run fuzz --')
    .description('Gives every reader mutated inputs; each must end in a result or an EspalierError.')
    .addOption(new Option('--inputs <count>', 'of each reader').argParser(whole).default(100_000))
    .addOption(new Option('--seed <number>', 'makes other inputs').argParser(whole).default(1))
    .addOption(new Option('--first <number>', 'number of the first input').argParser(whole).default(0))
    .addOption(new Option('--target <names...>', 'only these').choices(targets.map(({ name }) => name)))
    .parse()
    .opts<Options>()
  await main(options)
} else {
  await work(workerData)
}

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Line } from './lines.js'

export interface RunOptions {
  program: string
  scale: 'tiny' | 'quick' | 'full'
  /** For all parts together. */
  seconds: number
  /** Hears of each line as it comes. */
  report(line: Line): void
}

/** Parts in the order of their running, each with its share of the time that is left then. */
const parts: readonly (readonly [name: string, share: number])[] = [
  ['ceilings', 0.1],
  ['dense', 0.12],
  ['steps', 0.4],
  ['blocks', 0.45],
  ['sparse', 1],
]

/** A part looks at its time before each measurement; one that is still there so long afterwards hangs. */
const graceSeconds = 60

async function runPart(part: string, seconds: number, options: RunOptions): Promise<Line[]> {
  const lines: Line[] = []
  const add = (line: Line) => {
    lines.push(line)
    options.report(line)
  }
  const child = spawn(options.program, [part, '--scale', options.scale, '--seconds', seconds.toFixed(1)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: Math.ceil(1000 * (seconds + graceSeconds)),
  })
  let complaint = ''
  child.stderr.on('data', (data) => {
    complaint = (complaint + data).slice(-2000)
  })
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? null : signal === null ? `ended with ${code}` : `was ended by ${signal}`),
    )
  })
  for await (const text of createInterface({ input: child.stdout })) {
    try {
      add(JSON.parse(text))
    } catch {
      add({ kind: 'failure', cell: part, message: `a line that is not JSON: ${text.slice(0, 200)}` })
    }
  }
  const why = await ended
  // A part that failed keeps what it has measured.
  if (why !== null) add({ kind: 'failure', cell: part, message: `${why}. ${complaint.trim()}`.trim() })
  return lines
}

/** Runs every part in a process of its own; none can take the others down. */
export async function runProgram(options: RunOptions): Promise<Line[]> {
  if (!existsSync(options.program)) {
    throw new Error(
      `${options.program} is missing: "npm run build" makes it where there is a CUDA toolkit (scripts/install-cuda-toolkit brings one)`,
    )
  }
  const lines: Line[] = []
  const begin = performance.now()
  for (const [part, share] of parts) {
    const left = options.seconds - (performance.now() - begin) / 1000
    lines.push(...(await runPart(part, Math.max(1, left * share), options)))
    if (lines.some(({ kind }) => kind === 'header') === false) break
  }
  return lines
}

/** The card's state as its own tool tells it, or null where there is no such tool. */
export function cardState(): Record<string, string> | null {
  const fields = [
    'name',
    'driver_version',
    'clocks.current.sm',
    'clocks.max.sm',
    'clocks.current.memory',
    'power.limit',
    'temperature.gpu',
    'compute_mode',
    'mig.mode.current',
  ]
  const { status, stdout } = spawnSync('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv,noheader'], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  if (status !== 0) return null
  const values = stdout.split('\n')[0]!.split(',')
  return Object.fromEntries(fields.map((field, index) => [field, values[index]?.trim() ?? '']))
}

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = `${root}lib/cli/main.js`

/** Options for a test that trains: skips it, saying so, while the addon is not built. */
export const needsAddon = existsSync(`${root}build/Release/espalier.node`)
  ? {}
  : { skip: 'build/Release/espalier.node is not built' }

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  /** The last line of standard output as JSON. */
  json: () => Record<string, unknown>
}

/**
 * Runs the command line in a process of its own.
 *
 * @param folder where it runs; what is on this machine (ESPALIER_DATA, the cache) is hidden from it
 * @param watch called with the process and all that it printed so far, whenever it prints
 */
export function espalier(
  folder: string,
  args: readonly string[],
  watch?: (child: ChildProcess, printed: string) => void,
): Promise<Outcome> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...process.env, ESPALIER_DATA: '', ESPALIER_DEBUG: '', XDG_CACHE_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
    watch?.(child, stdout + stderr)
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
    watch?.(child, stdout + stderr)
  })
  const json = () => JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr, json }))
  })
}

/** A table of three classes that a line of arithmetic tells apart. */
export function smallTable(rows = 90): string {
  const lines = Array.from(
    { length: rows },
    (_, i) => `${i % 7},${(i * i) % 11},${(i % 3) * 2},kind ${i % 3}`,
  )
  return ['left,middle,right,kind', ...lines, ''].join('\n')
}

import { spawn } from 'node:child_process'

const minutes = 20

/**
 * Runs a program to its end.
 *
 * @returns what it printed on standard output
 * @throws Error with the last line on standard error that speaks of an error
 */
export function run(
  program: string,
  parameters: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Not spawn's own timeout, whose timer goes on where there is no such program.
      signal: AbortSignal.timeout(minutes * 60_000),
    })
    let output = ''
    let complaints = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const lines = complaints.trim().split('\n')
      const complaint = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1)
      reject(new Error(complaint || `${program} ended with ${code ?? signal}`))
    })
  })
}

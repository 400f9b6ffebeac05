import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Finding, Network } from './setting.js'

const child = fileURLToPath(new URL('kill-child.js', import.meta.url))

/** Runs the child; kills it `after` ms past its beginning, if that is a number. Gives the last line that it printed. */
async function run(path: string, threads: number, after: number | null): Promise<string> {
  const process = spawn(globalThis.process.execPath, [child, path, String(threads)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  const begun = new Promise<void>((resolve) => {
    process.stdout.on('data', (text) => {
      printed += text
      resolve()
    })
    process.once('exit', () => resolve())
  })
  const exited = new Promise<number | null>((resolve) => process.once('exit', resolve))
  await begun
  if (after !== null) {
    await sleep(after)
    process.kill('SIGKILL')
  }
  const code = await exited
  if (after === null && code !== 0) throw new Error(`the run ended with ${code}`)
  return printed.trim().split('\n').at(-1)!
}

/** kill -9 at random moments of a run with checkpoints: what is left is loaded, gone on with, and compared. */
export async function kill(times: number): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-kill-'))
  const whole = join(folder, 'whole.safetensors')
  const begin = performance.now()
  const expected = await run(whole, 1, null)
  const length = performance.now() - begin
  let loadable = 0
  let equal = 0
  let killed = 0
  let leftovers = 0
  for (let i = 0; i < times; i++) {
    const path = join(folder, `run-${i}`, 'model.safetensors')
    const own = join(folder, `run-${i}`)
    mkdirSync(own)
    // Where in the run is not known beforehand, which is the point.
    await run(path, 1 + (i % 2), Math.random() * length)
    killed++
    if (existsSync(path)) {
      using network = await Network.load(path)
      if (network.progress.steps > 0) loadable++
    } else {
      // Killed before its first checkpoint: the run begins anew.
      loadable++
    }
    if ((await run(path, 1 + ((i + 1) % 2), null)) === expected) equal++
    leftovers += readdirSync(own).filter((name) => name.endsWith('.tmp')).length
    rmSync(own, { recursive: true })
  }
  rmSync(folder, { recursive: true })
  return [
    {
      what: `kill -9 at ${killed} random moments of a run with a checkpoint every 3 steps`,
      measured: `${loadable} loadable, ${equal} gone on with to the same bits, on another number of threads; ${leftovers} unfinished files beside them`,
      wanted: `${times} and ${times}`,
      met: loadable === times && equal === times,
    },
  ]
}

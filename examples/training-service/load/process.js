/** The service in a process of its own, as it is started by hand: with its log, which says where it listens. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../main.js', import.meta.url))

const collect = new URL('./collect.js', import.meta.url).href

/**
 * Starts it on a free port, with garbage collected regularly.
 *
 * @param {Record<string, string>} environment
 * @returns its url, its resident memory in bytes (Linux), and how to end it, which gives its exit code
 */
export async function startProcess(environment) {
  const child = spawn(process.execPath, ['--expose-gc', '--import', collect, main], {
    env: { ...process.env, TRAINING_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const url = await new Promise((resolve, reject) => {
    let printed = ''
    const look = (text) => {
      printed += text
      const found = /listening at (http:\S+?)"/.exec(printed)
      if (found === null) return
      child.stdout.off('data', look).resume()
      child.stderr.off('data', look).pipe(process.stderr)
      resolve(found[1])
    }
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', look)
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${printed}`)))
  })
  return {
    url,
    async residentBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)[1])
    },
    async end(signal) {
      const exit =
        child.exitCode === null && child.signalCode === null ? once(child, 'exit') : [child.exitCode]
      child.kill(signal)
      const [code] = await exit
      return code
    },
  }
}

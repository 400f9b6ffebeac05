/** Workers: a process for each run, so that its memory is its own and its end ends nothing else. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ErrorCode } from '../errors.js'
import type { Answer, Request } from './messages.js'

type LastAnswer = Extract<Answer, { type: 'finished' | 'checked' | 'failed' }>

/** How a worker ended: with its last answer, or without (`died`); null where it was stopped from here. */
export type Outcome = (LastAnswer & { readonly died?: boolean }) | null

const program = fileURLToPath(new URL('./worker.js', import.meta.url))

/** Of what a worker prints as it dies, so much is kept. */
const mostText = 4000

/**
 * Starts a worker on a request and waits for its end. A worker that dies without an answer is a failed one.
 *
 * @param signal stops it at once
 * @param onAnswer told of what it says before its last answer
 */
export function runWorker(
  request: Request,
  signal: AbortSignal,
  onAnswer: (answer: Answer) => void,
): Promise<Outcome> {
  // Detached, since Ctrl-C in a terminal goes to all processes of its group, and here the comparison decides.
  const child = fork(program, { detached: true, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const stop = () => child.kill('SIGKILL')
  signal.addEventListener('abort', stop, { once: true })
  let outcome: Outcome = null
  let printed = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-mostText)
  })
  child.on('message', (answer: Answer) => {
    if (answer.type === 'finished' || answer.type === 'checked' || answer.type === 'failed') outcome = answer
    else onAnswer(answer)
  })
  // A worker that is gone before it could read its request shows in how it ended.
  child.send(request, () => {})
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, deathSignal) => {
      signal.removeEventListener('abort', stop)
      if (outcome !== null) resolve(outcome)
      else if (signal.aborted) resolve(null)
      else resolve({ type: 'failed', died: true, error: causeOfDeath(code, deathSignal, printed) })
    })
  })
}

function causeOfDeath(
  code: number | null,
  signal: NodeJS.Signals | null,
  printed: string,
): { code: ErrorCode; message: string } {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`
  if (signal === 'SIGKILL') {
    return {
      code: 'ERR_ESPALIER_MEMORY',
      message: `the process of the run was ended by SIGKILL; most likely the machine ran out of memory`,
    }
  }
  if (/heap out of memory/i.test(printed)) {
    return {
      code: 'ERR_ESPALIER_MEMORY',
      message: `the process of the run ran out of JavaScript memory (ended ${how})`,
    }
  }
  const last = printed.trim().split('\n').at(-1) ?? ''
  return {
    code: 'ERR_ESPALIER_INTERNAL',
    message: `the process of the run ended ${how}${last === '' ? '' : `: ${last}`}`,
  }
}

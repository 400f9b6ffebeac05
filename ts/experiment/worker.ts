/** The program of a worker: does what it is sent, answers and ends; ends at once when nobody listens any more. */
import { EspalierError } from '../errors.js'
import { check } from './check.js'
import { execute } from './execute.js'
import type { Answer, Request } from './messages.js'

function say(answer: Answer, then?: () => void): void {
  process.send!(answer, undefined, undefined, then)
}

async function serve(request: Request): Promise<Answer> {
  try {
    if (request.type === 'check') {
      await check(request.jobs, request.settings, (progress) => say({ type: 'download', ...progress }))
      return { type: 'checked' }
    }
    const run = await execute(request.job, request.settings, (epoch) => say({ type: 'epoch', epoch }))
    return { type: 'finished', run }
  } catch (error) {
    const code = error instanceof EspalierError ? error.code : 'ERR_ESPALIER_INTERNAL'
    return {
      type: 'failed',
      error: { code, message: error instanceof Error ? error.message : String(error) },
    }
  }
}

// The comparison is gone: training, on its own threads, must not go on.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.once('message', (request: Request) => {
  serve(request).then((answer) => say(answer, () => process.exit(0)))
})

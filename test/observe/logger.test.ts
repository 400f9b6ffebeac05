import path from 'node:path'
import { Writable } from 'node:stream'
import pino from 'pino'
import t from 'tap'
import { type Logger, rigl, sgd } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { data, small, validation } from './support.js'

type Line = Record<string, unknown> & { level: number; msg: string }

const [debug, info, error] = [20, 30, 50]

/** A logger of pino, and the lines that it wrote. */
function recorder(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = []
  const into = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  return { logger: pino({ level: 'debug' }, into), lines }
}

t.test('a run is written to a logger of pino', { skip: noAddon }, async (t) => {
  const network = small()
  const { logger, lines } = recorder()
  const file = path.join(t.testdir(), 'model.safetensors')
  await network.fit(data, {
    epochs: 3,
    batchSize: 50,
    threads: 1,
    rewire: rigl({ every: 10 }),
    validation,
    checkpoint: { path: file, every: 3 },
    logger,
  })
  const { connections, parameters, sparsity } = network.stats()
  const from = (level: number) => lines.filter((line) => line.level === level)
  t.match(from(info)[0], {
    msg: 'training begins',
    connections,
    parameters,
    sparsity,
    device: 'cpu',
    threads: 1,
    samples: 500,
    validationSamples: 100,
    epochs: 3,
    batchSize: 50,
    optimizer: 'sgd',
    rewire: 'rigl',
    stepsBefore: 0,
  })
  t.match(
    lines.filter(({ msg }) => msg === 'epoch done'),
    [1, 2, 3].map((epoch) => ({
      level: info,
      epoch,
      step: 10 * epoch,
      train: { loss: Number },
      validation: { accuracy: Number },
    })),
  )
  t.match(
    lines.filter(({ msg }) => msg === 'connections moved'),
    [
      { level: debug, step: 10, moved: Number },
      { level: debug, step: 20 },
    ],
  )
  t.match(lines.filter(({ msg }) => msg === 'checkpoint written').at(-1), {
    level: info,
    path: file,
    epoch: 3,
    step: 30,
    seconds: Number,
  })
  t.match(lines.at(-1), { level: info, msg: 'training ended', reason: 'finished', epochs: 3, steps: 30 })
  network.dispose()
})

t.test('a failure is an error with its code', { skip: noAddon }, async (t) => {
  const network = small()
  const { logger, lines } = recorder()
  const run = network.fit(data, { epochs: 50, optimizer: sgd({ learningRate: 1e30 }), logger })
  await t.rejects(run, { code: 'ERR_ESPALIER_DIVERGED' })
  t.match(lines.at(-1), { level: error, msg: 'training failed', code: 'ERR_ESPALIER_DIVERGED' })
  t.match(lines.at(-1)?.err, { type: 'EspalierError', code: 'ERR_ESPALIER_DIVERGED', message: String })
  network.dispose()
})

t.test('a logger that throws does not disturb training', { skip: noAddon }, async (t) => {
  const network = small()
  const broken = () => {
    throw new Error('the disk of the log is full')
  }
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  const result = await network.fit(data, {
    epochs: 2,
    logger: { debug: broken, info: broken, error: broken },
  })
  t.match(result, { reason: 'finished', epochs: 2 })
  t.match(await warned, { code: 'ESPALIER_OBSERVER', message: /the disk of the log is full/ })
  network.dispose()
})

t.test('the console will do', { skip: noAddon }, async (t) => {
  const network = small()
  const said = t.capture(console, 'info', () => {})
  t.capture(console, 'debug', () => {})
  await network.fit(data, { epochs: 1, logger: console })
  const messages = said().map(({ args }) => args[1])
  t.strictSame(messages, ['training begins', 'epoch done', 'training ended'])
  network.dispose()
})

import path from 'node:path'
import t from 'tap'
import {
  EspalierError,
  type ObservedRun,
  type RunEvent,
  type RunListener,
  type RunObserver,
  rigl,
  sgd,
} from '../../lib/index.js'
import { Following } from '../../lib/observe/follow.js'
import type { RunResult } from '../../lib/train/events.js'
import { noAddon } from '../model/support.js'
import { snapshotAt } from '../train/fake-native.js'
import { data, Listening, small, validation } from './support.js'

const about = {} as ObservedRun
const end: RunEvent = { type: 'end', reason: 'finished', epochs: 1, steps: 2 }
const result = { reason: 'finished', epochs: 1, steps: 2 } as RunResult

/** A run that gives one event and its result, or throws. */
const followed = (observers: RunObserver[], error?: unknown) => {
  const following = new Following()
  following.begin(observers, about)
  const task = async (emit: (event: RunEvent) => void) => {
    emit(end)
    if (error !== undefined) throw error
    return result
  }
  return following.follow(task, () => {})
}

/** The process warnings that something causes. */
async function warnings(work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = []
  const listener = (warning: Error & { code?: string }) => {
    if (warning.code === 'ESPALIER_OBSERVER') seen.push(warning.message)
  }
  process.on('warning', listener)
  await work()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listener)
  return seen
}

t.test('listeners hear of events and of the end, in the order in which they are given', async (t) => {
  const heard: string[] = []
  const named = (name: string) => (): RunListener => ({
    event: ({ type }) => heard.push(`${name} ${type}`),
    end: ({ reason }) => heard.push(`${name} ${reason}`),
  })
  t.equal(await followed([named('a'), () => {}, named('b')]), result)
  t.strictSame(heard, ['a end', 'b end', 'a finished', 'b finished'])
})

t.test('a failure is told with its code', async (t) => {
  const listening = new Listening()
  const error = new EspalierError('ERR_ESPALIER_DIVERGED', 'the loss is NaN')
  t.equal(await followed([() => listening], error).catch((given) => given), error)
  t.strictSame(listening.ends, [{ reason: 'failed', code: 'ERR_ESPALIER_DIVERGED', error }])
  // As a stream of samples may throw them.
  for (const [thrown, code] of [
    [Object.assign(new Error('no such file'), { code: 'ENOENT' }), 'ENOENT'],
    [new TypeError('not a row'), 'TypeError'],
    ['no more', 'Error'],
  ] as const) {
    const other = new Listening()
    await t.rejects(followed([() => other], thrown))
    t.match(other.ends, [{ reason: 'failed', code }])
  }
})

t.test('what an observer throws disturbs nothing, and is a warning, once a run', async (t) => {
  const bad = (message: string) => (): never => {
    throw new Error(message)
  }
  const listening = new Listening()
  const observers: RunObserver[] = [
    bad('at the begin'),
    () => ({ event: bad('at an event'), end: bad('at the end') }),
    () => listening,
  ]
  t.strictSame(await warnings(() => followed(observers)), ['an observer of a run threw: at the begin'])
  t.equal(listening.events.length, 1)
  t.equal(listening.ends.length, 1)
})

t.test('a listener that is an async function and rejects disturbs nothing either', async (t) => {
  const rejects: RunObserver = () => ({
    event: async () => {
      throw new Error('the log server is gone')
    },
  })
  t.strictSame(await warnings(() => followed([rejects])), [
    'an observer of a run threw: the log server is gone',
  ])
})

t.test('files that are written are told, also one that fails', async (t) => {
  const written: unknown[] = []
  const following = new Following()
  following.begin([() => ({ checkpoint: (about) => void written.push(about) })], about)
  await following.writing(async () => {})('a.safetensors', snapshotAt(3))
  const full = new EspalierError('ERR_ESPALIER_FILE', 'no space left')
  const failing = following.writing(async () => {
    throw full
  })
  await t.rejects(failing('b.safetensors', snapshotAt(4)), full)
  t.match(written, [
    { path: 'a.safetensors', epoch: 3, step: 30, seconds: Number, error: null },
    { path: 'b.safetensors', epoch: 4, step: 40, seconds: Number, error: 'ERR_ESPALIER_FILE' },
  ])
})

t.test('an observer of a real run hears what its iterators see', { skip: noAddon }, async (t) => {
  const network = small()
  const listening = new Listening()
  const files: string[] = []
  let begun: ObservedRun | undefined
  let bytes = 0
  const observe: RunObserver = (run) => {
    begun = run
    return {
      event(event) {
        listening.event(event)
        if (event.type === 'epoch') bytes = run.stats().bytes.total
      },
      checkpoint: (written) => files.push(written.path),
      end: (outcome) => listening.end(outcome),
    }
  }
  const file = path.join(t.testdir(), 'model.safetensors')
  const run = network.fit(data, {
    epochs: 3,
    batchSize: 32,
    threads: 1,
    rewire: rigl({ every: 10 }),
    validation,
    checkpoint: { path: file },
    observe: [observe],
  })
  const seen: RunEvent[] = []
  for await (const event of run) if (event.type !== 'progress') seen.push(event)
  t.strictSame(
    listening.events.filter(({ type }) => type !== 'progress'),
    seen,
  )
  t.match(listening.ends, [{ reason: 'finished', result: await run }])
  t.ok(files.length > 0 && files.every((name) => name === file))
  t.match(begun, {
    description: network.description,
    settings: { epochs: 3, batchSize: 32, rewire: { type: 'rigl' } },
    threads: 1,
    device: 'cpu',
    samples: 500,
    validationSamples: 100,
    before: { epochs: 0, steps: 0, rewirings: 0 },
  })
  t.ok(bytes > 0)
  network.dispose()
})

t.test('it hears the end of a run whose network is disposed of', { skip: noAddon }, async (t) => {
  const network = small()
  const listening = new Listening()
  let parameters = 0
  const run = network.fit(data, {
    epochs: 1000,
    observe: (run) => ({
      end(outcome) {
        listening.end(outcome)
        parameters = run.stats().parameters
      },
    }),
  })
  network.dispose()
  await run
  t.match(listening.ends, [{ reason: 'cancelled' }])
  t.ok(parameters > 0)
})

t.test('a run that was refused is told as failed', { skip: noAddon }, async (t) => {
  const network = small()
  const values = data.values.slice()
  values[7] = Number.NaN
  const listening = new Listening()
  await t.rejects(network.fit({ ...data, values }, { observe: () => listening }), {
    code: 'ERR_ESPALIER_DATA',
  })
  t.match(listening.ends, [{ reason: 'failed', code: 'ERR_ESPALIER_DATA' }])
  network.dispose()
})

t.test('options that are no observers are refused', { skip: noAddon }, async (t) => {
  const network = small()
  const code = 'ERR_ESPALIER_OPTION'
  for (const [option, value, message] of [
    ['observe', 5, /option "observe" is 5; allowed: a function/],
    [
      'observe',
      [() => {}, 'console'],
      /option "observe" is \[a function, "console"\]; allowed: a function .* list/,
    ],
    [
      'logger',
      { info() {} },
      /option "logger" is an object; allowed: an object with the methods debug, info/,
    ],
    ['loger', console, /did you mean "logger"\?/],
  ] as const) {
    t.throws(() => network.fit(data, { [option]: value } as object), { code, message })
  }
  network.dispose()
})

t.test('the same bits with observers as without', { skip: noAddon }, async (t) => {
  const results = []
  for (const observe of [[], [() => new Listening()]]) {
    const network = small()
    const { trainLoss } = await network.fit(data, {
      epochs: 3,
      optimizer: sgd({ learningRate: 0.05 }),
      rewire: rigl({ every: 5 }),
      observe,
    })
    results.push([trainLoss, await network.evaluate(validation)])
    network.dispose()
  }
  t.strictSame(results[0], results[1])
})

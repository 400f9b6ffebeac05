import { AsyncLocalStorage } from 'node:async_hooks'
import path from 'node:path'
import {
  type Context,
  type ContextManager,
  context,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import t from 'tap'
import { Network, rigl, sgd } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { data, small, validation } from './support.js'

/** What @opentelemetry/context-async-hooks does. */
class StorageContext implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()
  active = () => this.#storage.getStore() ?? ROOT_CONTEXT
  with: ContextManager['with'] = (context, work, self, ...args) =>
    this.#storage.run(context, () => work.apply(self as never, args))
  bind: ContextManager['bind'] = (_context, target) => target
  enable = () => this
  disable = () => this
}

const exporter = new InMemorySpanExporter()
const register = () => {
  context.setGlobalContextManager(new StorageContext())
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  )
}
t.beforeEach(() => {
  exporter.reset()
  register()
})
t.afterEach(() => {
  trace.disable()
  context.disable()
})

const spans = (name: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.name === name)
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId
const milliseconds = ([seconds, nanoseconds]: [number, number]) => seconds * 1000 + nanoseconds / 1e6

t.test(
  'a fit is a child of the active span, with epochs and checkpoints inside',
  { skip: noAddon },
  async (t) => {
    const network = small()
    const { connections, parameters, sparsity } = network.stats()
    const file = path.join(t.testdir(), 'model.safetensors')
    const caller = await trace.getTracer('test').startActiveSpan('request', async (span) => {
      await network.fit(data, {
        epochs: 2,
        batchSize: 50,
        threads: 1,
        rewire: rigl({ every: 5 }),
        validation,
        checkpoint: { path: file, every: 2 },
      })
      span.end()
      return span.spanContext().spanId
    })
    const [fit] = spans('espalier.fit')
    t.equal(parentOf(fit!), caller)
    t.equal(fit!.instrumentationScope.name, 'espalier')
    t.match(fit!.attributes, {
      'espalier.inputs': 20,
      'espalier.layers': 3,
      'espalier.connections': connections,
      'espalier.parameters': parameters,
      'espalier.sparsity': sparsity,
      'espalier.device': 'cpu',
      'espalier.threads': 1,
      'espalier.samples': 500,
      'espalier.epochs': 2,
      'espalier.batch_size': 50,
      'espalier.rewire': 'rigl',
      'espalier.reason': 'finished',
      'espalier.steps_done': 20,
      'espalier.validation.accuracy': Number,
    })
    t.equal(fit!.status.code, SpanStatusCode.UNSET)
    const epochs = spans('espalier.epoch')
    t.match(
      epochs.map(({ attributes }) => attributes),
      [
        { 'espalier.epoch': 1, 'espalier.step': 10, 'espalier.train.loss': Number },
        { 'espalier.epoch': 2, 'espalier.step': 20, 'espalier.validation.loss': Number },
      ],
    )
    const id = fit!.spanContext().spanId
    const inside = [...epochs, ...spans('espalier.checkpoint')]
    t.ok(inside.length >= 3)
    for (const span of inside) {
      t.equal(parentOf(span), id)
      t.ok(milliseconds(span.startTime) >= milliseconds(fit!.startTime), `${span.name} begins inside`)
      t.ok(milliseconds(span.endTime) <= milliseconds(fit!.endTime), `${span.name} ends inside`)
    }
    t.match(epochs[0]!.events, [
      { name: 'rewire', attributes: { 'espalier.step': 5, 'espalier.moved': Number } },
      {},
    ])
    t.match(spans('espalier.checkpoint').at(-1)!.attributes, { 'espalier.path': file, 'espalier.step': 20 })
    network.dispose()
  },
)

t.test('an error sets the status, with its code', { skip: noAddon }, async (t) => {
  const network = small()
  await t.rejects(network.fit(data, { epochs: 50, optimizer: sgd({ learningRate: 1e30 }) }))
  const [fit] = spans('espalier.fit')
  t.match(fit, {
    status: { code: SpanStatusCode.ERROR, message: 'ERR_ESPALIER_DIVERGED' },
    attributes: { 'error.type': 'ERR_ESPALIER_DIVERGED', 'espalier.reason': 'failed' },
    events: [{ name: 'exception' }],
  })
  t.ok(spans('espalier.epoch').every(({ ended }) => ended))
  await t.rejects(network.predict(new Float32Array(3)))
  t.match(spans('espalier.predict'), [{ status: { message: 'ERR_ESPALIER_DATA' } }])
  await t.rejects(Network.load(path.join(t.testdir(), 'none.safetensors')))
  t.match(spans('espalier.load'), [
    { status: { code: SpanStatusCode.ERROR, message: 'ERR_ESPALIER_NOT_FOUND' } },
  ])
  network.dispose()
})

t.test('evaluate, predict, save and load have spans', { skip: noAddon }, async (t) => {
  const network = small()
  const file = path.join(t.testdir(), 'model.safetensors')
  await network.evaluate(validation)
  await network.predict(validation.values.slice(0, 40))
  await network.save(file)
  const loaded = await Network.load(file)
  t.match(spans('espalier.evaluate'), [{ attributes: { 'espalier.samples': 100 }, status: { code: 0 } }])
  t.match(spans('espalier.predict'), [{ attributes: { 'espalier.samples': 2 } }])
  t.match(spans('espalier.save'), [{ attributes: { 'espalier.path': file } }])
  t.match(spans('espalier.load'), [{ attributes: { 'espalier.path': file } }])
  network.dispose()
  loaded.dispose()
})

t.test('without a tracer nothing is made, and everything works', { skip: noAddon }, async (t) => {
  trace.disable()
  const network = small()
  await network.fit(data, { epochs: 1 })
  await network.evaluate(validation)
  t.strictSame(exporter.getFinishedSpans(), [])
  network.dispose()
})

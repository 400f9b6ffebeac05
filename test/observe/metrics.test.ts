import path from 'node:path'
import client from 'prom-client'
import t from 'tap'
import { type Network, type RunObserver, rigl, runMetrics, sgd, usage } from '../../lib/index.js'
import { noAddon } from '../model/support.js'
import { data, small, validation } from './support.js'

/** Value of one metric, with exactly these labels. */
async function value(registry: client.Registry, name: string, labels: Record<string, string> = {}) {
  const all = await registry.getMetricsAsJSON()
  const values = all.flatMap(
    ({ values }) => values as { metricName?: string; labels: object; value: number }[],
  )
  const named = all.find((metric) => metric.name === name)?.values ?? []
  const wanted = JSON.stringify(Object.entries(labels).sort())
  const same = ({ labels }: { labels: object }) => JSON.stringify(Object.entries(labels).sort()) === wanted
  const inHistogram = values.find((one) => one.metricName === name && same(one))
  return (inHistogram ?? named.find((one) => same(one)))?.value
}

const fit = (network: Network, observe: RunObserver, file?: string) =>
  network.fit(data, {
    epochs: 3,
    batchSize: 32,
    rewire: rigl({ every: 10 }),
    validation,
    observe,
    ...(file === undefined ? {} : { checkpoint: { path: file, every: 3 } }),
  })

t.test('what a run did is in the registry', { skip: noAddon }, async (t) => {
  const registry = new client.Registry()
  const network = small()
  const metrics = runMetrics(client, { registry })
  let during: number | undefined
  const look: RunObserver = () => ({
    event(event) {
      if (event.type !== 'epoch') return
      // Synchronous, unlike the registry's own way of reading.
      const gauge = registry.getSingleMetric('espalier_training_bytes') as client.Gauge
      during = (gauge as unknown as { hashMap: Record<string, { value: number }> }).hashMap['']?.value
    },
  })
  const result = await network.fit(data, {
    epochs: 3,
    batchSize: 32,
    rewire: rigl({ every: 10 }),
    validation,
    checkpoint: { path: path.join(t.testdir(), 'model.safetensors'), every: 3 },
    observe: [metrics(), look],
  })
  const moved = result.rewirings.flatMap(({ layers }) => layers.map((layer) => layer.moved))
  const expected: Record<string, number> = {
    espalier_running: 0,
    espalier_training_bytes: 0,
    espalier_epochs_total: 3,
    espalier_steps_total: 48,
    espalier_samples_total: 1500,
    espalier_rewirings_total: result.rewirings.length,
    espalier_moved_connections_total: moved.reduce((sum, one) => sum + one, 0),
    espalier_epoch_seconds_count: 3,
    espalier_run_seconds_count: 1,
    espalier_train_loss: result.trainLoss!,
    espalier_train_accuracy: result.trainAccuracy!,
    espalier_validation_loss: result.validation!.loss,
    espalier_validation_accuracy: result.validation!.accuracy!,
  }
  for (const [name, wanted] of Object.entries(expected)) t.equal(await value(registry, name), wanted, name)
  t.equal(await value(registry, 'espalier_runs_total', { reason: 'finished' }), 1)
  t.ok((await value(registry, 'espalier_checkpoint_seconds_count'))! >= 1)
  const seconds =
    (await value(registry, 'espalier_train_seconds_total'))! +
    (await value(registry, 'espalier_rewire_seconds_total'))!
  const told = result.history.reduce((sum, epoch) => sum + epoch.seconds, 0)
  t.ok(Math.abs(seconds - told) < 1e-9, `${seconds} of ${told} s`)
  t.ok(during! > 0, 'bytes while it trains')
  const { parameters, pattern } = network.memory()
  const held = await value(registry, 'espalier_native_bytes')
  t.equal(held, usage().nativeBytes)
  t.ok(held! >= parameters + pattern)
  t.equal(await value(registry, 'espalier_waiting'), 0)
  network.dispose()
})

t.test('several runs at once add up, told apart by their labels', { skip: noAddon }, async (t) => {
  const registry = new client.Registry()
  const metrics = runMetrics(client, { registry, prefix: 'training_', labels: ['user'] })
  const networks = [small(), small(), small()]
  await Promise.all(networks.map((network, i) => fit(network, metrics({ user: i === 0 ? 'ada' : 'grace' }))))
  t.equal(await value(registry, 'training_epochs_total', { user: 'ada' }), 3)
  t.equal(await value(registry, 'training_epochs_total', { user: 'grace' }), 6)
  t.equal(await value(registry, 'training_steps_total', { user: 'grace' }), 96)
  t.equal(await value(registry, 'training_runs_total', { user: 'grace', reason: 'finished' }), 2)
  t.equal(await value(registry, 'training_running', { user: 'ada' }), 0)
  for (const network of networks) network.dispose()
})

t.test(
  'a run that goes on counts only what it adds; one that fails is counted as failed',
  {
    skip: noAddon,
  },
  async (t) => {
    const registry = new client.Registry()
    const metrics = runMetrics(client, { registry })
    const network = small()
    await network.fit(data, { epochs: 1, batchSize: 32 })
    await network.fit(data, { epochs: 3, resume: true, observe: metrics() })
    t.equal(await value(registry, 'espalier_epochs_total'), 2)
    t.equal(await value(registry, 'espalier_steps_total'), 32)
    t.equal(await value(registry, 'espalier_samples_total'), 1000)
    const bad = network.fit(data, { optimizer: sgd({ learningRate: 1e30 }), observe: metrics() })
    await t.rejects(bad, { code: 'ERR_ESPALIER_DIVERGED' })
    t.equal(await value(registry, 'espalier_runs_total', { reason: 'failed' }), 1)
    t.equal(await value(registry, 'espalier_running'), 0)
    network.dispose()
  },
)

t.test('samples of a stream are counted as those of a data set', { skip: noAddon }, async (t) => {
  const registry = new client.Registry()
  const network = small()
  const { values, labels } = data
  const stream = { features: 20, samplesPerEpoch: 500, open: () => [{ values, labels: labels! }] }
  await network.fit(stream, { epochs: 2, batchSize: 64, observe: runMetrics(client, { registry })() })
  t.equal(await value(registry, 'espalier_samples_total'), 1000)
  t.equal(await value(registry, 'espalier_steps_total'), 16)
  network.dispose()
})

t.test('labels are those that were announced', async (t) => {
  const metrics = runMetrics(client, { registry: new client.Registry(), labels: ['user'] })
  const code = 'ERR_ESPALIER_OPTION'
  t.throws(() => metrics(), {
    code,
    message: 'runMetrics: labels are none; allowed: a text for each of user',
  })
  t.throws(() => metrics({ user: 'ada', job: '1' }), { code, message: /labels are user: "ada", job: "1"/ })
  t.throws(() => metrics({ user: 5 as unknown as string }), { code, message: /user: 5/ })
})

t.test('wrong options are named', async (t) => {
  const make = runMetrics as (client: unknown, options?: unknown) => unknown
  const code = 'ERR_ESPALIER_OPTION'
  const allowed = (what: object, message: string) => t.throws(() => make(client, what), { code, message })
  allowed({ lables: ['user'] }, 'runMetrics: unknown option "lables"; did you mean "labels"?')
  allowed({ prefx: 'a' }, 'runMetrics: unknown option "prefx"; did you mean "prefix"?')
  allowed({ labels: 'user' }, 'runMetrics: option "labels" is "user"; allowed: a list of names')
  t.throws(() => make({}), {
    code,
    message: 'runMetrics: option "client" is an object; allowed: the module prom-client',
  })
})

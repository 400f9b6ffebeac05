import t from 'tap'
import type {
  NativeData,
  NativeEvent,
  NativeFitSettings,
  NativeNetwork,
  NativeState,
  NativeTensor,
} from '../../lib/native/surface.js'
import {
  chooseDevice,
  cuda,
  denseLayer,
  description,
  Network,
  onProcessor,
  samples,
  settings,
} from './support.js'

const state = { code: 'ERR_ESPALIER_STATE' }

/** Runs a fit and gives all its events. */
function fit(
  network: NativeNetwork,
  more: Partial<NativeFitSettings> = {},
  data: NativeData = samples(),
  onEvent: (event: NativeEvent) => void = () => {},
): Promise<NativeEvent[]> {
  return new Promise((resolve) => {
    const events: NativeEvent[] = []
    network.fit(data, null, settings(more), (event) => {
      events.push(event)
      onEvent(event)
      if (event.type === 'end') resolve(events)
    })
  })
}

const forever = { epochs: 1e9 }

t.test('a run tells of its epochs and rewirings and ends', async (t) => {
  const events = await fit(new Network(description()), { epochs: 3 })
  const types = events.map((event) => event.type).filter((type) => type !== 'progress')
  t.equal(types.filter((type) => type === 'epoch').length, 3)
  // 7 steps an epoch, 21 in all: at 3, 6 .. 18; never at the last step.
  t.equal(types.filter((type) => type === 'rewire').length, 6)
  t.match(events.at(-1), { type: 'end', reason: 'finished', error: null, epochs: 3, steps: 21 })
})

t.test('one call at a time while training, and everything again after it', async (t) => {
  const network = new Network(description())
  const data = samples()
  const run = fit(network, forever, data, (event) => {
    if (event.type === 'epoch' && event.epoch === 2) network.cancel()
  })
  t.throws(() => network.fit(data, null, settings(), () => {}), state)
  t.throws(() => network.evaluate(data, 1), state)
  t.throws(() => network.predict(data, 1), state)
  const shot = await network.snapshot()
  t.throws(() => network.restore(shot), state)
  t.match((await run).at(-1), { reason: 'cancelled' })
  const [metrics, outputs] = await Promise.all([network.evaluate(data, 1), network.predict(data, 2)])
  t.ok(metrics.loss > 0)
  t.equal(outputs.length, 400)
  for (let i = 0; i < 100; i++) {
    const sum = outputs.subarray(4 * i, 4 * i + 4).reduce((a, b) => a + b)
    if (Math.abs(sum - 1) > 1e-5) t.fail(`probabilities of sample ${i} sum to ${sum}`)
  }
})

t.test('a cancel is never lost, and never stops the next run', async (t) => {
  const network = new Network(description())
  for (let i = 0; i < 20; i++) {
    const run = fit(network, forever)
    network.cancel()
    t.match((await run).at(-1), { reason: 'cancelled' })
    network.cancel()
    t.match((await fit(network, { epochs: 1 })).at(-1), { reason: 'finished', epochs: 1 })
  }
})

t.test('the next run may start in the last event of the one before', async (t) => {
  const network = new Network(description())
  const second = await new Promise<NativeEvent>((resolve) => {
    network.fit(samples(), null, settings(), (event) => {
      if (event.type !== 'end') return
      fit(network).then((events) => resolve(events.at(-1)!))
    })
  })
  t.match(second, { type: 'end', reason: 'finished' })
})

t.test('disposing ends a run and drops what waits', async (t) => {
  const network = new Network(description())
  const run = fit(network, forever)
  const shot = network.snapshot()
  network.dispose()
  t.match((await run).at(-1), { reason: 'cancelled' })
  t.ok((await shot).tensors.length > 0, 'a snapshot that was asked for is still taken')
  network.dispose()
  for (const use of [
    () => network.fit(samples(), null, settings(), () => {}),
    () => network.evaluate(samples(), 1),
    () => network.predict(samples(), 1),
    () => network.snapshot(),
    () => network.summary(),
    () => network.memory(),
    () => network.cancel(),
  ]) {
    t.throws(use, { ...state, message: /disposed/ })
  }
  const other = new Network(description())
  const waiting = [other.evaluate(samples(5000), 1), other.predict(samples(), 1), other.snapshot()]
  other.dispose()
  const outcomes = await Promise.allSettled(waiting)
  t.equal(outcomes.at(-1)!.status, 'rejected')
  t.match((outcomes.at(-1) as PromiseRejectedResult).reason, state)
})

t.test('an error of a callback is the process, not the run', async (t) => {
  const caught: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => caught.push(error.message))
  const events = await fit(new Network(description()), {}, samples(), (event) => {
    if (event.type === 'epoch') throw new Error(`epoch ${event.epoch}`)
  })
  await new Promise((resolve) => setImmediate(resolve))
  process.removeAllListeners('uncaughtException')
  for (const listener of listeners) process.on('uncaughtException', listener)
  t.same(caught, ['epoch 1', 'epoch 2'])
  t.match(events.at(-1), { reason: 'finished' })
})

t.test('a restored snapshot is the same network', async (t) => {
  for (const type of ['sgd', 'adam'] as const) {
    const optimizer = { ...settings().optimizer, type, learningRate: type === 'sgd' ? 0.05 : 0.003 }
    const network = new Network(description())
    await fit(network, { epochs: 2, optimizer })
    const middle = await network.snapshot()
    await fit(network, { epochs: 4, optimizer, resume: true })
    const end = await network.snapshot()

    const other = new Network(description())
    other.restore(middle)
    t.same(await other.snapshot(), middle, `${type}: restored`)
    await fit(other, { epochs: 4, optimizer, resume: true })
    t.same(await other.snapshot(), end, `${type}: continued`)
  }
})

t.test('a snapshot is taken between two steps of a run', async (t) => {
  const network = new Network(description())
  const run = fit(network, forever)
  const shots: NativeState[] = []
  for (let i = 0; i < 5; i++) shots.push(await network.snapshot())
  network.cancel()
  await run
  t.ok(shots.every((shot, i) => i === 0 || shot.progress.step >= shots[i - 1]!.progress.step))
  for (const shot of shots) {
    // Every invariant is checked on the way in.
    new Network(description()).restore(shot)
  }
})

t.test('restoring checks everything first and changes nothing when it refuses', async (t) => {
  const network = new Network(description())
  await fit(network)
  const good = await network.snapshot()
  const find = (shot: Pick<NativeState, 'tensors'>, name: string) =>
    shot.tensors.find((tensor) => tensor.name === name)!
  type Spoilt = Omit<NativeState, 'tensors'> & { tensors: NativeTensor[] }
  const cases: [string, (shot: Spoilt) => void, RegExp][] = [
    ['a missing tensor', (s) => s.tensors.splice(3, 1), /layers\.0\.values\.momentum is missing/],
    ['a tensor twice', (s) => s.tensors.push(s.tensors[0]!), /layers\.0\.crow_indices is there twice/],
    ['one too many', (s) => s.tensors.push({ ...s.tensors[0]!, name: 'layers.9.bias' }), /layers\.9\.bias/],
    [
      'another shape',
      (s) => {
        find(s, 'layers.0.bias').shape = [31]
      },
      /layers\.0\.bias.*\[31\].*\[32\]/,
    ],
    [
      'another length',
      (s) => {
        find(s, 'layers.0.bias').data = new Float32Array(31)
      },
      /layers\.0\.bias/,
    ],
    [
      'another type',
      (s) => {
        find(s, 'layers.0.bias').data = new Int32Array(32)
      },
      /layers\.0\.bias must be of type float32/,
    ],
    [
      'NaN',
      (s) => {
        ;(find(s, 'layers.0.values').data as Float32Array)[2] = Number.NaN
      },
      /layers\.0\.values.*index 2/,
    ],
    [
      'a column out of range',
      (s) => {
        ;(find(s, 'layers.0.col_indices').data as Int32Array)[0] = 20
      },
      /layers\.0\.crow_indices/,
    ],
    [
      'offsets that descend',
      (s) => {
        ;(find(s, 'layers.1.crow_indices').data as BigInt64Array)[1] = 99999n
      },
      /layers\.1\.crow_indices/,
    ],
    [
      'negative progress',
      (s) => {
        s.progress.step = -1
      },
      /step/,
    ],
    [
      'an impossible optimizer',
      (s) => {
        s.optimizer!.momentum = -1
      },
      /momentum/,
    ],
    [
      'no optimizer but its memory',
      (s) => {
        s.optimizer = null
      },
      /momentum/,
    ],
  ]
  for (const [name, spoil, message] of cases) {
    const shot = structuredClone(good) as Spoilt
    spoil(shot)
    t.throws(() => network.restore(shot), { code: /^ERR_ESPALIER_(DATA|OPTION)$/, message }, name)
  }
  t.same(await network.snapshot(), good)
})

t.test('padding of blocks must stay zero', async (t) => {
  const layers = [{ ...description().layers[1]!, outputs: 30, sparsity: 0 } as never, denseLayer(4)]
  const network = new Network(description({ layers }))
  const shot = await network.snapshot()
  const values = shot.tensors.find((tensor) => tensor.name === 'layers.0.values')!
  t.equal(values.shape.join(), '40,4,4')
  values.data[values.data.length - 1] = 1
  t.throws(() => network.restore(shot), { message: /layers\.0\.values.*outside the matrix, in block 39/ })
})

t.test('values on a SharedArrayBuffer are read in place, all else is copied', async (t) => {
  const network = new Network(description())
  const shared = samples()
  const copied = { ...shared, values: new Float32Array(shared.values) }
  const before = await network.evaluate(shared, 1)
  t.same(await network.evaluate(copied, 1), before)
  const late = network.evaluate(copied, 1)
  copied.values.fill(0)
  copied.labels!.fill(3)
  structuredClone(copied.values.buffer, { transfer: [copied.values.buffer] })
  t.same(await late, before)
  await t.rejects(async () => network.evaluate(copied, 1), {
    code: 'ERR_ESPALIER_DATA',
    message: /data\.values.*detached/,
  })
})

t.test('bad samples are errors that name the place', async (t) => {
  const network = new Network(description())
  const good = samples()
  const data = 'ERR_ESPALIER_DATA'
  const change = (index: number, value: number) => {
    const values = new Float32Array(good.values)
    values[index] = value
    return { ...good, values }
  }
  const label = (value: number) => ({ ...good, labels: new Int32Array(good.labels!).fill(value, 7, 8) })
  const cases: [Partial<NativeData>, string, RegExp][] = [
    [change(45, Number.NaN), data, /sample 2, feature 5/],
    [change(1999, Number.NEGATIVE_INFINITY), data, /sample 99, feature 19/],
    [label(4), data, /sample 7.*label 4.*0 to 3/],
    [label(-1), data, /sample 7.*label -1/],
    [{ ...good, labels: null }, data, /label/],
    [{ ...good, labels: new Int32Array(99) }, data, /labels holds 99.*100/],
    [{ ...good, values: new Float32Array(1999) }, data, /values holds 1999.*2000/],
    [{ ...good, samples: 2 ** 40, features: 20 }, data, /values holds/],
    [{ ...good, features: 21 }, data, /21 features.*20 inputs/],
    [{ ...good, samples: 0 }, 'ERR_ESPALIER_OPTION', /samples/],
    [{ ...good, values: [] as never }, 'ERR_ESPALIER_OPTION', /values must be a Float32Array/],
  ]
  for (const [bad, code, message] of cases) {
    await t.rejects(async () => network.evaluate(bad as NativeData, 1), { code, message })
    const train = await new Promise<{ code: string; message: string }>((resolve) => {
      try {
        network.fit(bad as NativeData, null, settings(), (event) => {
          if (event.type === 'end') resolve(event.error!)
        })
      } catch (error) {
        resolve(error as { code: string; message: string })
      }
    })
    t.match(train, { code, message })
  }
})

t.test('a loss that is no number ends the run with an error', async (t) => {
  const network = new Network(description())
  const optimizer = { ...settings().optimizer, learningRate: 1e20 }
  t.match((await fit(network, { epochs: 50, optimizer })).at(-1), {
    reason: 'failed',
    begun: true,
    error: { code: 'ERR_ESPALIER_DIVERGED', message: /step \d+/ },
  })
})

t.test('descriptions and settings are checked once more', async (t) => {
  const option = 'ERR_ESPALIER_OPTION'
  const describe = (more: object) => () => new Network(description(more))
  t.throws(describe({ sparsity: 1 }), { code: option, message: /sparsity/ })
  t.throws(describe({ seed: 2 ** 53 }), { code: option, message: /seed/ })
  t.throws(describe({ layers: [] }), { code: option, message: /layer/ })
  t.throws(describe({ layers: [{ type: 'conv' }] }), {
    code: option,
    message: /layers\[0\]\.type.*sparse.*'conv'/,
  })
  t.throws(describe({ layers: [denseLayer(2 ** 31)] }), { code: option, message: /layers\[0\]\.outputs/ })
  t.throws(describe({ loss: 'hinge' }), { code: option, message: /loss/ })
  const place = (more: object) => () => new Network(description(), { ...onProcessor, ...more } as never)
  t.throws(place({ device: 'tpu' }), { code: option, message: /placement\.device.*auto, cpu, cuda.*'tpu'/ })
  t.throws(place({ precision: 'int8' }), { code: option, message: /placement\.precision/ })
  t.throws(place({ denseFallback: 1 }), { code: option, message: /placement\.denseFallback/ })
  t.throws(() => chooseDevice('gpu' as never), { code: option, message: /device/ })
  t.throws(() => (Network as unknown as (d: object) => void)(description()), TypeError)
  const network = new Network(description())
  const start = (more: object) => () => network.fit(samples(), null, settings(more), () => {})
  t.throws(start({ epochs: 0 }), { code: option, message: /epochs/ })
  t.throws(start({ threads: 0 }), { code: option, message: /threads/ })
  t.throws(start({ rewire: { ...settings().rewire, fraction: 2 } }), {
    code: option,
    message: /rewire\.fraction/,
  })
  t.throws(() => network.fit(samples(), null, settings(), undefined as never), {
    code: option,
    message: /onEvent/,
  })
  t.throws(() => network.fit.call({} as never, samples(), null, settings(), () => {}))
})

t.test('the summary and the memory tell what there is', async (t) => {
  const network = new Network(description())
  t.match(network.summary(), [
    { type: 'sparse', inputs: 20, outputs: 32, block: [1, 1] },
    { type: 'sparse', inputs: 32, outputs: 24, block: [4, 4] },
    { type: 'dense', inputs: 24, outputs: 4, connections: 96, parameters: 100, sparsity: 0, block: null },
  ])
  const connections = () => network.summary().map((layer) => layer.connections)
  const before = connections()
  t.equal(network.memory().optimizer, 0)
  await fit(network)
  t.same(connections(), before, 'training moves connections, their number stays')
  const memory = network.memory()
  t.equal(memory.optimizer, memory.parameters, 'momentum takes as much as the parameters')
  t.ok(memory.workspace > 0 && memory.pattern > 0)
})

t.test('a run tells how far the network has come, also when it fails or is refused', async (t) => {
  const network = new Network(description())
  const finished = (await fit(network)).at(-1)
  t.match(finished, { begun: true, epochs: 2, steps: 14, rewirings: 4 })
  const bad = samples()
  bad.values[3] = Number.NaN
  t.match(
    (await fit(network, {}, bad)).at(-1),
    { begun: false, reason: 'failed', epochs: 2, steps: 14, rewirings: 4 },
    'refused: as it was',
  )
  const optimizer = { ...settings().optimizer, learningRate: 1e20 }
  const failed = (await fit(network, { epochs: 50, optimizer })).at(-1)
  if (failed?.type !== 'end') return t.fail('no end')
  t.equal(failed.begun, true)
  const [, step] = /step (\d+)/.exec(failed.error!.message)!
  t.equal(failed.steps, Number(step) - 1, 'the step whose loss is no number is not counted')
  const { progress } = await network.snapshot()
  t.match(progress, { epoch: failed.epochs, step: failed.steps, rewirings: failed.rewirings })
  t.ok(Number.isFinite(progress.lossSum), 'nor is its loss')
  t.equal(progress.samplesSeen, progress.stepInEpoch * 16)
})

t.test('the plan of the processor is one way for each product', async (t) => {
  const network = new Network(description())
  t.same(network.plan(), { device: null, products: [] }, 'nothing has been computed')
  await network.evaluate(samples(), 1)
  t.same(network.plan(), { device: 'cpu', products: [] })
  network.dispose()
  t.throws(() => network.plan(), state)
})

t.test('what CUDA finds here, and what auto takes', async (t) => {
  const found = cuda()
  t.equal(found.usable, found.reason === '', 'a reason where it cannot be used')
  t.equal(chooseDevice('cpu'), 'cpu')
  t.equal(chooseDevice('auto'), found.usable && found.real ? 'cuda' : 'cpu')
  if (found.usable) {
    t.equal(chooseDevice('cuda'), 'cuda')
    t.ok(found.card !== '' && found.memoryBytes > 0 && found.driver > 0)
    return
  }
  for (const use of [
    () => chooseDevice('cuda'),
    () => new Network(description(), { ...onProcessor, device: 'cuda' }),
  ]) {
    try {
      use()
      t.fail('nothing was thrown')
    } catch (error) {
      t.match(error, { code: 'ERR_ESPALIER_DEVICE' })
      t.ok((error as Error).message.includes(found.reason), 'with the reason')
    }
  }
})

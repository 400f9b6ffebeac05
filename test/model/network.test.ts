import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import {
  adam,
  type Dataset,
  dense,
  dropout,
  erdosRenyi,
  layerNorm,
  Network,
  type RewireRule,
  rigl,
  set,
  sgd,
  sparse,
  staticTopology,
  uniform,
} from '../../lib/index.js'
import { bits, clouds, noAddon } from './support.js'

const data = clouds(1200, 20, 3)
const test = clouds(300, 20, 3, 2)
const state = { code: 'ERR_ESPALIER_STATE' }

/** On the processor: what is compared bit for bit here need not be the same on a GPU, which chooses by timing. */
const small = (seed = 1) =>
  new Network({
    inputs: 20,
    layers: [sparse(32), sparse(32), dense(3)],
    sparsity: 0.7,
    seed,
    device: 'cpu',
  })

t.test('it learns, with every rule', { skip: noAddon }, async (t) => {
  for (const rewire of [staticTopology(), set(), rigl({ every: 10 })]) {
    const network = small()
    const before = network.summary()
    const run = network.fit(data, { epochs: 6, batchSize: 32, rewire, validation: test, threads: 2 })
    const result = await run
    t.equal(result.reason, 'finished')
    t.ok(result.validation!.accuracy! > 0.95, `${rewire.type}: ${result.validation!.accuracy}`)
    t.equal(result.history.length, 6)
    t.equal(result.steps, 6 * 38)
    t.strictSame(network.progress, { epochs: 6, steps: 228, rewirings: result.rewirings.length })
    t.equal(result.rewirings.length > 0, rewire.type !== 'static')
    t.strictSame(network.summary(), before, 'as many connections as at the start')
    t.strictSame(await network.evaluate(test), result.validation)
    network.dispose()
  }
})

t.test('the example of the documentation: events, then the result', { skip: noAddon }, async (t) => {
  const network = new Network({
    inputs: data.features,
    layers: [sparse(32, { activation: 'relu' }), layerNorm(), dropout(0.1), dense(3)],
    sparsity: 0.5,
    topology: erdosRenyi(),
    device: 'auto',
    seed: 1,
  })
  const { signal } = new AbortController()
  const run = network.fit(data, {
    epochs: 3,
    optimizer: sgd({ learningRate: 0.1 }),
    validation: test,
    signal,
  })
  const seen: number[] = []
  for await (const event of run) if (event.type === 'epoch') seen.push(event.validation.loss)
  const result = await run
  t.strictSame(
    seen,
    result.history.map((epoch) => epoch.validation.loss),
  )
  t.equal(seen.length, 3)
})

const rules = { static: staticTopology(), set: set(), rigl: rigl({ every: 7 }) }
const optimizers = { momentum: sgd({ learningRate: 0.05 }), adam: adam() }

t.test('a resumed run equals an uninterrupted one, bit for bit', { skip: noAddon }, async (t) => {
  const many = clouds(2000, 40, 3)
  const make = () =>
    new Network({
      inputs: 40,
      layers: [
        sparse(96, { activation: 'srelu' }),
        layerNorm(),
        dropout(0.2),
        sparse(96, { block: '4x1' }),
        dense(3),
      ],
      sparsity: 0.8,
      seed: 3,
      device: 'cpu',
    })
  const folder = t.testdir()
  for (const [rule, rewire] of Object.entries(rules)) {
    for (const [name, optimizer] of Object.entries(optimizers)) {
      const settings = { epochs: 4, batchSize: 16, rewire, optimizer, threads: 1 }
      const whole = make()
      await whole.fit(many, settings)

      const interrupted = make()
      const first = await interrupted.fit(many, { ...settings, maxSteps: 23 })
      t.equal(first.reason, 'maxSteps', `${rule}, ${name} was interrupted`)
      const file = path.join(folder, `${rule}-${name}.safetensors`)
      await interrupted.save(file)

      const resumed = await Network.load(file, { device: 'cpu' })
      t.strictSame(
        bits(await resumed.snapshot()),
        bits(await interrupted.snapshot()),
        'the file holds everything',
      )
      t.strictSame(resumed.progress, interrupted.progress)
      const result = await resumed.fit(many, { ...settings, resume: true })
      t.match(result, { reason: 'finished', epochs: 4, steps: 500 })
      t.strictSame(bits(await resumed.snapshot()), bits(await whole.snapshot()), `${rule}, ${name}`)

      // Settings that are not given are those of the run that goes on, in the same process too.
      await interrupted.fit(many, { resume: true })
      t.strictSame(
        bits(await interrupted.snapshot()),
        bits(await whole.snapshot()),
        `${rule}, ${name}, in memory`,
      )
      for (const network of [whole, interrupted, resumed]) network.dispose()
    }
  }
})

t.test('any number of threads gives the same bits', { skip: noAddon }, async (t) => {
  const trained = async (threads: number) => {
    const network = small()
    await network.fit(data, { epochs: 2, batchSize: 50, rewire: rigl({ every: 5 }), threads })
    return bits(await network.snapshot())
  }
  const one = await trained(1)
  t.strictSame(await trained(2), one)
  t.strictSame(await trained(3), one)
})

t.test('so it is where threads take over rows from each other', { skip: noAddon }, async (t) => {
  const wide = clouds(500, 150, 3)
  const layers = [
    sparse(520, { block: '16x16' }),
    sparse(300, { block: '8x8' }),
    sparse(520, { block: '4x1' }),
    sparse(400, { block: '5x7' }),
    sparse(300),
    dense(3),
  ]
  for (const precision of ['float32', 'bfloat16'] as const) {
    const trained = async (threads: number) => {
      const network = new Network({ inputs: 150, layers, sparsity: 0.7, seed: 4, device: 'cpu', precision })
      await network.fit(wide, { epochs: 2, batchSize: 128, rewire: set({ every: 3 }), threads })
      return bits(await network.snapshot())
    }
    const one = await trained(1)
    for (const threads of [2, 3, 5])
      t.strictSame(await trained(threads), one, `${precision}, ${threads} threads`)
  }
})

t.test('so it is where weights move chunk by chunk, as masked ones do', { skip: noAddon }, async (t) => {
  // The second layer has more weights than gradients are kept of, about 700,000 of 900,000.
  const wide = clouds(520, 30, 3)
  // 200 samples are one panel; 300 are two, whose gradients add up.
  for (const [batchSize, dropConnect] of [
    [200, 0],
    [300, 0.2],
  ] as const) {
    const trained = async (masked: boolean, threads: number, rewire: RewireRule) => {
      const layers = [sparse(600), sparse(1500, { masked, dropConnect, sparsity: 0.2 }), dense(3)]
      using network = new Network({ inputs: 30, layers, sparsity: 0.2, seed: 4, device: 'cpu' })
      await network.fit(wide, { epochs: 2, batchSize, rewire, threads })
      return network.snapshot()
    }
    const name = `batches of ${batchSize}, DropConnect of ${dropConnect}`
    const one = bits(await trained(false, 1, set({ every: 2 })))
    t.strictSame(bits(await trained(false, 3, set({ every: 2 }))), one, name)
    const [sparsely, densely] = [
      await trained(false, 2, staticTopology()),
      await trained(true, 2, staticTopology()),
    ].map(({ tensors }) => tensors.flatMap(({ data }) => (data instanceof Float32Array ? [data] : [])))
    for (const [i, tensor] of sparsely!.entries()) {
      const worst = tensor.reduce((most, value, k) => Math.max(most, Math.abs(value - densely![i]![k]!)), 0)
      t.ok(worst < 1e-5, `${name}, tensor ${i}: off by ${worst} from a masked layer`)
    }
  }
})

t.test('so it is where rows are too short for threads to share their lines', { skip: noAddon }, async (t) => {
  const trained = async (sparsity: number, threads: number) => {
    const layers = [sparse(90), sparse(120), dense(3)]
    using network = new Network({ inputs: 20, layers, sparsity, seed: 4, device: 'cpu' })
    await network.fit(data, { epochs: 1, batchSize: 48, rewire: set({ every: 5 }), threads })
    return bits(await network.snapshot())
  }
  // One thread computes both gradients at once throughout; of two, those of dense rows do.
  for (const sparsity of [0.9, 0]) {
    const one = await trained(sparsity, 1)
    for (const threads of [2, 3])
      t.strictSame(await trained(sparsity, threads), one, `${sparsity}, ${threads} threads`)
  }
})

t.test('so it is where threads take a part of the batch each', { skip: noAddon }, async (t) => {
  const layers = [
    sparse(29, { activation: 'srelu', block: '4x1' }),
    layerNorm(),
    sparse(22, { activation: 'gelu', block: '8x8' }),
    dropout(0.2),
    sparse(31),
    dense(3),
  ]
  const trained = async (batchSize: number, threads: number) => {
    const network = new Network({ inputs: 20, layers, sparsity: 0.5, seed: 4, device: 'cpu' })
    const run = network.fit(data, {
      epochs: 2,
      batchSize,
      threads,
      optimizer: adam(),
      rewire: rigl({ every: 3 }),
      validation: test,
    })
    const epochs = []
    for await (const event of run)
      if (event.type === 'epoch') epochs.push(event.train.loss, event.validation?.loss)
    const predictions = await network.predict(test, { threads })
    return { ...bits(await network.snapshot()), epochs, predictions: [...predictions] }
  }
  // Of 1200 samples: a ragged last batch of 12 or of one panel, and several rounds of panels.
  for (const batchSize of [66, 128, 180, 600]) {
    const one = await trained(batchSize, 1)
    for (const threads of [2, 3, 4]) {
      t.strictSame(await trained(batchSize, threads), one, `batches of ${batchSize}, ${threads} threads`)
    }
  }
})

t.test('one sample alone is predicted as among others', { skip: noAddon }, async (t) => {
  const stacks = [
    [sparse(33), dropout(0.5), sparse(30, { activation: 'allRelu', block: '4x1' }), dense(3)],
    [sparse(33, { block: '8x8', activation: 'gelu' }), sparse(21, { activation: 'allRelu' }), dense(3)],
    [sparse(18, { block: [3, 2], bias: false }), dense(70, { activation: 'tanh' }), dense(3)],
    [sparse(33, { activation: 'srelu' }), layerNorm(), dense(3)],
  ]
  for (const layers of stacks) {
    for (const loss of ['softmaxCrossEntropy', 'binaryCrossEntropy'] as const) {
      const network = new Network({ inputs: 20, layers, sparsity: 0.6, loss, seed: 3, device: 'cpu' })
      await network.fit(data, { epochs: 1 })
      const all = await network.predict(test)
      for (const i of [0, 7, 299]) {
        const alone = await network.predict(test.values.slice(20 * i, 20 * (i + 1)))
        const worst = Math.max(...alone.map((value, k) => Math.abs(value - all[3 * i + k]!)))
        t.ok(
          alone.length === 3 && worst < 1e-6,
          `network ${stacks.indexOf(layers)}, ${loss}: off by ${worst}`,
        )
      }
    }
  }
})

t.test('sample after sample gives the bits of all at once', { skip: noAddon }, async (t) => {
  // Single weights are summed in the order of the pattern everywhere; from the second sample on they are
  // looked up from a copy in slices of 32 rows, where that is not mostly filling.
  for (const [width, sparsity] of [
    [33, 0.5],
    [100, 0.9],
    [200, 0.99],
  ] as const) {
    const network = new Network({
      inputs: 20,
      layers: [
        sparse(width),
        sparse(width + 31, { activation: 'tanh' }),
        sparse(3, { activation: 'linear' }),
      ],
      sparsity,
      topology: uniform(),
      loss: 'squaredError',
      device: 'cpu',
    })
    await network.fit(data, { epochs: 1 })
    const all = await network.predict(test)
    for (const i of [0, 7, 7, 299]) {
      const alone = await network.predict(test.values.slice(20 * i, 20 * (i + 1)))
      t.strictSame([...alone], [...all.subarray(3 * i, 3 * (i + 1))], `${width} wide, sample ${i}`)
    }
    await network.fit(data, { epochs: 1 })
    const [first, among] = [await network.predict(test.values.slice(0, 20)), await network.predict(test)]
    t.strictSame([...first], [...among.subarray(0, 3)], 'and after more training')
  }
})

t.test('the same seed gives the same network, another seed another', { skip: noAddon }, async (t) => {
  const fresh = async (seed: number) => bits(await small(seed).snapshot())
  t.strictSame(await fresh(1), await fresh(1))
  t.notSame(await fresh(1), await fresh(2))
})

t.test('a saved network predicts the same', { skip: noAddon }, async (t) => {
  const network = small()
  await network.fit(data, { epochs: 2 })
  const file = path.join(t.testdir(), 'model.safetensors')
  await network.save(file)
  const loaded = await Network.load(file, { device: 'cpu' })
  t.strictSame(loaded.description, network.description)
  const expected = await network.predict(test)
  t.equal(expected.length, 300 * 3)
  t.ok(Math.abs(expected[0]! + expected[1]! + expected[2]! - 1) < 1e-5, 'probabilities add up to 1')
  t.strictSame(await loaded.predict(test), expected)
  t.strictSame(
    await loaded.predict(Float32Array.from(test.values), { threads: 1 }),
    expected,
    'plain values as well',
  )
  t.strictSame(await loaded.evaluate(test), await network.evaluate(test))
})

t.test('a snapshot that was sent elsewhere goes on as its network does', { skip: noAddon }, async (t) => {
  using network = small()
  const options = { batchSize: 64, rewire: rigl({ every: 5 }) }
  await network.fit(data, { ...options, epochs: 1 })
  const snapshot = structuredClone(await network.snapshot())
  using again = Network.restore(snapshot, { device: 'cpu' })
  t.strictSame(again.progress, network.progress)
  t.strictSame(bits(await again.snapshot()), bits(snapshot))
  for (const one of [network, again]) await one.fit(data, { epochs: 2, resume: true })
  t.strictSame(bits(await again.snapshot()), bits(await network.snapshot()))

  const tensors = snapshot.tensors.filter(({ name }) => name !== 'layers.0.values')
  t.throws(() => Network.restore({ ...snapshot, tensors }), {
    code: 'ERR_ESPALIER_DATA',
    message: /layers\.0\.values/,
  })
  t.throws(() => Network.restore(snapshot, { devise: 'cpu' } as never), { code: 'ERR_ESPALIER_OPTION' })
})

t.test('a fit without resume starts afresh', { skip: noAddon }, async (t) => {
  const network = small()
  await network.fit(data, { epochs: 1, batchSize: 100 })
  const result = await network.fit(data, { epochs: 2, batchSize: 100 })
  t.match(result, { epochs: 2, steps: 24 })
  t.match(await network.snapshot(), { counters: { epoch: 2, step: 24 }, training: { epochs: 2 } })
})

t.test('an aborted run stops within a step and loses nothing', { skip: noAddon }, async (t) => {
  const network = small()
  const controller = new AbortController()
  const file = path.join(t.testdir(), 'model.safetensors')
  const run = network.fit(data, {
    epochs: 1e6,
    batchSize: 4,
    signal: controller.signal,
    checkpoint: { path: file, every: 1e6 },
  })
  for await (const event of run) if (event.type === 'epoch') controller.abort()
  const result = await run
  t.equal(result.reason, 'cancelled')
  t.equal(network.progress.steps, result.steps)
  const loaded = await Network.load(file)
  t.strictSame(bits(await loaded.snapshot()), bits(await network.snapshot()), 'the checkpoint holds the end')
  t.ok((await network.evaluate(test)).accuracy! > 0.3, 'the network stays usable')
})

t.test('a signal that is aborted already lets no step be done', { skip: noAddon }, async (t) => {
  const network = small()
  const before = bits(await network.snapshot())
  t.match(await network.fit(data, { signal: AbortSignal.abort() }), { reason: 'cancelled', steps: 0 })
  t.strictSame(bits(await network.snapshot()), before)

  const checkpoint = { path: path.join(t.testdir(), 'model.safetensors') }
  await network.fit(data, { epochs: 1, checkpoint })
  await small(2).fit(data, { signal: AbortSignal.abort(), checkpoint })
  t.equal((await Network.load(checkpoint.path)).progress.epochs, 1, 'a good checkpoint stays')
})

t.test('one fit at a time; looking at the network meanwhile is allowed', { skip: noAddon }, async (t) => {
  const network = small()
  const controller = new AbortController()
  const run = network.fit(data, { epochs: 1e6, batchSize: 4, signal: controller.signal })
  t.throws(() => network.fit(data), { ...state, message: /^fit: a fit of this network is running/ })
  await t.rejects(network.evaluate(test), { ...state, message: /^evaluate: a fit/ })
  await t.rejects(network.predict(test), state)
  const first = await network.snapshot()
  const second = await network.snapshot()
  t.ok(second.counters.step >= first.counters.step)
  t.ok(network.memory().parameters > 0)
  const file = path.join(t.testdir(), 'model.safetensors')
  await network.save(file)
  t.ok((await Network.load(file)).progress.steps >= second.counters.step)
  controller.abort()
  await run
  t.match(await network.fit(data, { epochs: 1 }), { reason: 'finished' }, 'free again')
})

t.test('after dispose every call is an error', { skip: noAddon }, async (t) => {
  const network = small()
  network.dispose()
  network.dispose()
  t.throws(() => network.fit(data), { ...state, message: 'fit: the network was disposed' })
  t.throws(() => network.summary(), state)
  t.throws(() => network.memory(), state)
  await t.rejects(network.evaluate(test), state)
  await t.rejects(network.predict(test), state)
  await t.rejects(network.snapshot(), state)
  await t.rejects(network.pattern(0), state)
  await t.rejects(network.save(path.join(t.testdir(), 'never')), state)
  const other = small()
  other[Symbol.dispose]()
  t.throws(() => other.summary(), state)
})

t.test('dispose while something runs', { skip: noAddon }, async (t) => {
  const fitting = small()
  const run = fitting.fit(data, { epochs: 1e6 })
  await setImmediate()
  fitting.dispose()
  t.match(await run, { reason: 'cancelled' }, 'a fit is stopped')
  t.throws(() => fitting.fit(data), state)
  const evaluating = small()
  const metrics = evaluating.evaluate(test)
  const snapshot = evaluating.snapshot()
  evaluating.dispose()
  t.ok((await metrics).loss > 0, 'other calls finish first')
  t.ok((await snapshot).tensors.length > 0)
})

t.test('NaN and Infinity in the data are named, and change nothing', { skip: noAddon }, async (t) => {
  const network = small()
  const before = bits(await network.snapshot())
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const values = Float32Array.from(data.values)
    values[7 * 20 + 13] = bad
    const broken: Dataset = { ...data, values }
    const named = { code: 'ERR_ESPALIER_DATA', message: /7.*13/ }
    await t.rejects(network.fit(broken), named)
    await t.rejects(network.fit(data, { validation: broken }), named)
    await t.rejects(network.evaluate(broken), named)
    await t.rejects(network.predict(broken), named)
  }
  t.strictSame(bits(await network.snapshot()), before)
  t.strictSame(network.progress, { epochs: 0, steps: 0, rewirings: 0 })
  t.match(await network.fit(data, { epochs: 1, resume: true }), { reason: 'finished', epochs: 1 })
})

t.test('labels out of range, wrong lengths and options are refused at once', { skip: noAddon }, async (t) => {
  const network = small()
  const labels = Int32Array.from(data.labels!)
  labels[5] = 3
  const message = 'fit: train sample 5 has label 3; allowed: 0 to 2'
  t.throws(() => network.fit({ ...data, labels }), { code: 'ERR_ESPALIER_DATA', message })
  t.throws(() => network.fit({ ...data, samples: 1201 }), { code: 'ERR_ESPALIER_DATA' })
  t.throws(() => network.fit(data, { validation: { ...test, labels } }), {
    code: 'ERR_ESPALIER_DATA',
    message: /^fit: validation: labels has length 1200/,
  })
  t.throws(() => network.fit(data, { epochs: 0 }), { code: 'ERR_ESPALIER_OPTION' })
  for (const [nothing, text] of [
    [undefined, 'undefined'],
    [null, 'null'],
  ]) {
    t.throws(() => network.fit(nothing as never), {
      code: 'ERR_ESPALIER_DATA',
      message: `fit: train is ${text}; allowed: a Dataset, or a SampleStream`,
    })
  }
  await t.rejects(network.evaluate(test, { threads: 0 }), {
    code: 'ERR_ESPALIER_OPTION',
    message: /^evaluate: option "threads" is 0/,
  })
  await t.rejects(network.predict(new Float32Array(30)), { code: 'ERR_ESPALIER_DATA' })
  await t.rejects(network.predict(new Float64Array(20) as never), {
    code: 'ERR_ESPALIER_DATA',
    message:
      'predict: input is of class Float64Array; allowed: a Dataset, or a Float32Array of samples x inputs',
  })
  for (const nothing of [undefined, {}, 5]) {
    t.throws(() => Network.restore(nothing as never), {
      code: 'ERR_ESPALIER_OPTION',
      message: /^Network\.restore: option "snapshot" is .*; allowed: a snapshot/,
    })
  }
  t.match(
    await network.fit(data, { epochs: 1 }),
    { reason: 'finished' },
    'and the network is as good as before',
  )
})

t.test('a diverging run stops, and the last good checkpoint stays', { skip: noAddon }, async (t) => {
  const network = small()
  const file = path.join(t.testdir(), 'model.safetensors')
  await network.fit(data, { epochs: 1, checkpoint: { path: file } })
  const good = bits(await (await Network.load(file)).snapshot())
  const run = network.fit(data, {
    epochs: 50,
    optimizer: sgd({ learningRate: 1e30 }),
    checkpoint: { path: file, every: 50 },
  })
  await t.rejects(run, { code: 'ERR_ESPALIER_DIVERGED', message: /loss/ })
  t.strictSame(bits(await (await Network.load(file)).snapshot()), good)
  await t.rejects(network.save(file), { code: 'ERR_ESPALIER_DIVERGED', message: /was not written/ })
  const code = 'ERR_ESPALIER_DIVERGED'
  await t.rejects(network.evaluate(data), {
    code,
    message: /the loss is NaN; either the network has diverged/,
  })
  await t.rejects(network.predict(data), { code, message: /an output of sample 0 is NaN; .* checkpoint/ })
  t.strictSame(bits(await (await Network.load(file)).snapshot()), good)
})

t.test(
  'samples too large for a sound network are told by predict and evaluate',
  { skip: noAddon },
  async (t) => {
    const layers = [sparse(4, { activation: 'linear' }), dense(1)]
    using network = new Network({ inputs: 2, layers, sparsity: 0, loss: 'squaredError', seed: 1 })
    const values = Float32Array.of(1, 1, 3e38, 3e38)
    const code = 'ERR_ESPALIER_DIVERGED'
    await t.rejects(network.predict(values), { code, message: /output of sample 1 is .*too large for it/ })
    const samples: Dataset = {
      name: 'large',
      samples: 2,
      features: 2,
      values,
      targets: new Float32Array(2),
      classes: 0,
    }
    await t.rejects(network.evaluate(samples), { code, message: /too large for it/ })
  },
)

t.test(
  'a checkpoint that cannot be written fails the run and keeps the network',
  { skip: noAddon },
  async (t) => {
    const network = small()
    const folder = path.join(t.testdir(), 'there')
    mkdirSync(folder)
    const checkpoint = { path: path.join(folder, 'model.safetensors') }
    const run = network.fit(data, { epochs: 100_000, batchSize: 8, checkpoint })
    for await (const event of run) if (event.type === 'epoch') break
    rmSync(folder, { recursive: true, force: true, maxRetries: 9 })
    await t.rejects(run, { code: 'ERR_ESPALIER_FILE', message: /no such file or folder/ })
    t.ok(network.progress.epochs >= 1)
    await network.save(path.join(t.testdir(), 'elsewhere'))
  },
)

t.test('what a network is made of', { skip: noAddon }, async (t) => {
  const network = new Network({
    inputs: 20,
    layers: [sparse(30, { block: [4, 2] }), dense(3)],
    sparsity: 0.5,
  })
  const [first, last] = network.summary()
  t.match(first, { type: 'sparse', inputs: 20, outputs: 30, block: [4, 2] })
  t.match(last, {
    type: 'dense',
    inputs: 30,
    outputs: 3,
    connections: 90,
    parameters: 93,
    sparsity: 0,
    block: null,
  })
  const pattern = await network.pattern(0)
  t.match(pattern, { inputs: 20, outputs: 30, block: [4, 2] })
  t.equal(pattern.rowOffsets.length, 8 + 1)
  t.equal(Number(pattern.rowOffsets[8]), pattern.columnIndices.length)
  t.ok(pattern.columnIndices.every((column) => column >= 0 && column < 10))
  const message = 'pattern: layer index is 1, which is a dense layer; allowed: 0'
  await t.rejects(network.pattern(1), { code: 'ERR_ESPALIER_OPTION', message })
  await t.rejects(network.pattern(7), { code: 'ERR_ESPALIER_OPTION', message: /is 7, which is no layer/ })
})

t.test('regression, and yes or no', { skip: noAddon }, async (t) => {
  const targets = Float32Array.from(data.labels!, (label) => label - 1)
  const numbers = { ...data, targets, classes: 0 }
  const line = new Network({
    inputs: 20,
    layers: [sparse(32), dense(1)],
    loss: 'squaredError',
    sparsity: 0.5,
  })
  const fitted = await line.fit(numbers, { epochs: 20, optimizer: adam() })
  t.equal(fitted.trainAccuracy, null)
  t.ok(fitted.trainLoss! < 0.1, `${fitted.trainLoss}`)
  const labels = Int32Array.from(data.labels!, (label) => (label === 0 ? 1 : 0))
  const yesNo = new Network({
    inputs: 20,
    layers: [sparse(32), dense(1)],
    loss: 'binaryCrossEntropy',
    sparsity: 0.5,
  })
  const { trainAccuracy } = await yesNo.fit(
    { ...data, labels, classes: 2 },
    { epochs: 20, optimizer: adam() },
  )
  t.ok(trainAccuracy! > 0.95, `${trainAccuracy}`)
  t.ok((await yesNo.predict(data)).every((share) => share >= 0 && share <= 1))
})

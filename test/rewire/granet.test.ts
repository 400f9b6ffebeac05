import t from 'tap'
import { dense, granet, Network, sparse } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'
import { crafted, oneSample, still, weightsOf } from './support.js'

const linear = { activation: 'linear', bias: false } as const

t.test('it prunes the smallest of all, and regenerates by the gradient', { skip: noAddon }, async (t) => {
  const network = await crafted(
    t,
    { inputs: 3, layers: [sparse(2, linear)], sparsity: 0, loss: 'squaredError' },
    {
      0: [
        [1, -2, 3],
        [4, -5, 0.5],
      ],
    },
  )
  // Half of six go: 0.5, 1, -2. A third of the rest is dropped too: 3. The outputs are 8 and 12, so the gradient is
  // 32, 8, 16 and 48, 12, 24: of the positions that are free the largest is the first, which comes back.
  const result = await network.fit(oneSample([4, 1, 2], [0, 0]), {
    epochs: 2,
    batchSize: 1,
    optimizer: still,
    rewire: granet({ finalSparsity: 0.5, every: 1, until: 1, fraction: 0.34, fractionSchedule: 'constant' }),
  })
  t.strictSame(weightsOf(await network.snapshot(), 0), [
    [1, null, null],
    [4, -5, null],
  ])
  t.match(result.rewirings, [{ layers: [{ moved: 1, returned: 1, connections: 3 }] }])
  t.match(network.summary(), [{ connections: 3, parameters: 3, sparsity: 0.5 }])
})

t.test(
  'layers are pruned together: the smaller weights go, wherever they are',
  { skip: noAddon },
  async (t) => {
    const network = await crafted(
      t,
      { inputs: 2, layers: [sparse(2, linear), sparse(2, linear)], sparsity: 0, loss: 'squaredError' },
      {
        0: [
          [1, 2],
          [3, 4],
        ],
        1: [
          [5, 6],
          [7, 0.5],
        ],
      },
    )
    const rewire = granet({ finalSparsity: 0.5, every: 1, until: 1, fraction: 0.1 })
    await network.fit(oneSample([1, 1], [0, 0]), { epochs: 2, batchSize: 1, optimizer: still, rewire })
    const end = await network.snapshot()
    t.strictSame(weightsOf(end, 0), [
      [null, null],
      [null, 4],
    ])
    t.strictSame(weightsOf(end, 1), [
      [5, 6],
      [7, null],
    ])
  },
)

t.test('the sparsity follows its cube, and ends exactly', { skip: noAddon }, async (t) => {
  const network = new Network({
    inputs: 10,
    layers: [sparse(10, linear)],
    sparsity: 0.2,
    loss: 'squaredError',
  })
  const data = oneSample([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], new Array<number>(10).fill(1))
  const rewire = granet({ finalSparsity: 0.83, every: 2, from: 0.1, until: 0.9, fraction: 0.3 })
  const result = await network.fit(data, { epochs: 20, batchSize: 1, optimizer: still, rewire })
  // From step 2 to before step 18, every second one.
  const steps = [2, 4, 6, 8, 10, 12, 14, 16]
  t.strictSame(
    result.rewirings.map(({ step }) => step),
    steps,
  )
  t.strictSame(
    result.rewirings.map(({ layers }) => layers[0]!.connections),
    steps.map((step) => {
      const sparsity = 0.83 + (0.2 - 0.83) * (1 - (step - 2) / 14) ** 3
      return 100 - Math.floor(sparsity * 100 + 1e-9)
    }),
  )
  t.equal(network.summary()[0]!.connections, 17)
})

t.test('what cannot be is said before anything is trained', { skip: noAddon }, async (t) => {
  const data = clouds(64, 8, 2)
  const make = () => new Network({ inputs: 8, layers: [sparse(16), dense(2)], sparsity: 0.5, device: 'cpu' })
  const option = { code: 'ERR_ESPALIER_OPTION' }
  for (const [rewire, message] of [
    [granet({ finalSparsity: 0.3, every: 1 }), /granet: finalSparsity is 0\.3.*sparser already.*allowed/],
    [granet({ every: 1000 }), /granet: no rewiring lies between from and until in a run of 6 steps/],
  ] as const) {
    const network = make()
    const before = await network.snapshot()
    await t.rejects(network.fit(data, { epochs: 3, batchSize: 32, rewire }), { ...option, message })
    t.same((await network.snapshot()).tensors, before.tensors)
  }
  t.throws(() => granet({ from: 0.8 }), {
    ...option,
    message: 'granet: option "from" is 0.8; allowed: less than until, which is 0.7',
  })
})

t.test('a layer is never left without a connection', { skip: noAddon }, async (t) => {
  const network = await crafted(
    t,
    { inputs: 2, layers: [sparse(2, linear), sparse(2, linear)], sparsity: 0, loss: 'squaredError' },
    {
      0: [
        [1, 1],
        [1, 1],
      ],
      1: [
        [9, 9],
        [9, 9],
      ],
    },
  )
  const rewire = granet({ finalSparsity: 0.5, every: 1, until: 1 })
  await t.rejects(
    network.fit(oneSample([1, 1], [0, 0]), { epochs: 2, batchSize: 1, optimizer: still, rewire }),
    {
      code: 'ERR_ESPALIER_OPTION',
      message: /granet: at step 1 pruning would leave layer 0 without a connection/,
    },
  )
  t.match(network.summary(), [{ connections: 4 }, { connections: 4 }])
})

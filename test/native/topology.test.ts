import t from 'tap'
import { kernels, positions } from './support.js'

const erdosRenyi = { type: 'erdosRenyi' as const, epsilon: 0 }
const uniform = { type: 'uniform' as const, epsilon: 0 }

/** [inputs, outputs] of each layer of a chain. */
function chain(...widths: number[]): [number, number][] {
  return widths.slice(1).map((outputs, i) => [widths[i]!, outputs])
}

for (const [widths, densities] of [
  [
    [784, 300, 100, 10],
    [0.0795678, 0.2301887, 1],
  ],
  [
    [784, 1000, 1000, 1000, 10],
    [0.1059859, 0.0931535, 0.0931535, 1],
  ],
] as const) {
  t.test(`Erdos-Renyi densities of ${widths.join('-')} at 0.9`, async (t) => {
    const sizes = chain(...widths)
    const connections = kernels.layerConnections(sizes, 0.9, erdosRenyi)
    connections.forEach((count, i) => {
      const size = sizes[i]![0] * sizes[i]![1]
      // The densities are known to seven places; the count is the next whole number.
      t.ok(Math.abs(count - densities[i]! * size) <= 1 + size * 5e-8, `layer ${i}: ${count} of ${size}`)
    })
    const all = sizes.reduce((sum, [inputs, outputs]) => sum + inputs * outputs, 0)
    const total = connections.reduce((sum, count) => sum + count, 0)
    t.ok(total >= 0.1 * all && total < 0.1 * all + sizes.length, `${total} of ${all} in all`)
  })
}

t.test('the number of connections is size - floor(sparsity x size), as in decimal', async (t) => {
  // 0.29 x 100 is 28.999999999999996 in binary, 0.9 x 1e6 must not become 899999.
  t.same(kernels.layerConnections([[10, 10]], 0.29, uniform), [71])
  t.same(kernels.layerConnections([[1000, 1000]], 0.9, uniform), [100000])
  t.same(kernels.layerConnections([[7, 3]], 0.5, uniform), [11])
  t.same(kernels.layerConnections([[7, 3]], 0, uniform), [21])
  t.same(
    kernels.layerConnections(
      [
        [7, 3],
        [3, 2],
      ],
      0,
      erdosRenyi,
    ),
    [21, 6],
  )
})

t.test('epsilon gives epsilon (in + out) connections, at most all', async (t) => {
  t.same(
    kernels.layerConnections(
      [
        [784, 1000],
        [1000, 10],
      ],
      0.5,
      { type: 'epsilon', epsilon: 11 },
    ),
    [19624, 10000],
  )
})

t.test('an impossible topology is an error that names the layer or option', async (t) => {
  const option = { code: 'ERR_ESPALIER_OPTION' }
  t.throws(() => kernels.layerConnections([[10, 10]], 1, uniform), { ...option, message: /sparsity is 1/ })
  t.throws(() => kernels.layerConnections([[10, 10]], -0.1, uniform), option)
  t.throws(() => kernels.layerConnections([[10, 10]], Number.NaN, uniform), option)
  t.throws(
    () =>
      kernels.layerConnections(
        [
          [10, 10],
          [10, 5],
        ],
        0.5,
        { type: 'epsilon', epsilon: 1e-30 },
      ),
    {
      ...option,
      message: /sparse layer 1 of 2 \(10 inputs, 10 outputs\) is left without a connection/,
    },
  )
  t.throws(() => kernels.layerConnections([[10, 10]], 0.5, { type: 'epsilon', epsilon: 0 }), option)
  t.throws(() => kernels.layerConnections([[0, 10]], 0.5, uniform), option)
})

t.test('a random pattern has exactly so many blocks, ascending and distinct', async (t) => {
  for (const block of [
    [1, 1],
    [4, 1],
    [4, 4],
    [3, 2],
  ] as [number, number][]) {
    const [rows, columns] = [50, 37]
    const size = Math.ceil(rows / block[0]) * Math.ceil(columns / block[1])
    for (const blocks of [0, 1, Math.floor(size / 3), size]) {
      const pattern = kernels.randomPattern(rows, columns, block, blocks, 1, 0)
      const matrix = { rows, columns, block, ...pattern, values: new Float32Array() }
      const at = positions(matrix)
      t.equal(at.length, blocks, `${block} ${blocks}`)
      t.ok(at.every((position, i) => i === 0 || at[i - 1]! < position))
      t.ok(at.every((position) => position >= 0 && position < size))
    }
  }
})

t.test('a random pattern follows its seed and stream', async (t) => {
  const draw = (seed: number, stream: number) => [
    ...kernels.randomPattern(40, 40, [1, 1], 200, seed, stream).columnIndices,
  ]
  t.same(draw(1, 0), draw(1, 0))
  t.notSame(draw(1, 0), draw(2, 0))
  t.notSame(draw(1, 0), draw(1, 1))
  t.notSame(draw(1, 0), draw(2 ** 33 + 1, 0))
})

t.test('every position is drawn equally often', async (t) => {
  // 400 draws of 30 of 120 positions: each is expected 100 times with a deviation of 8.7.
  const hits = new Float64Array(120)
  for (let seed = 0; seed < 400; seed++) {
    const matrix = { rows: 12, columns: 10, block: [1, 1] as [number, number], values: new Float32Array() }
    for (const position of positions({ ...matrix, ...kernels.randomPattern(12, 10, [1, 1], 30, seed, 0) })) {
      hits[position]!++
    }
  }
  t.ok(Math.min(...hits) > 60 && Math.max(...hits) < 140, `${Math.min(...hits)} to ${Math.max(...hits)}`)
  const chi = hits.reduce((sum, hit) => sum + (hit - 100) ** 2 / 75, 0)
  t.ok(chi > 60 && chi < 200, `chi-squared ${chi} with 119 degrees of freedom`)
})

t.test('more blocks than positions is an error', async (t) => {
  t.throws(() => kernels.randomPattern(4, 4, [2, 2], 5, 1, 0), {
    code: 'ERR_ESPALIER_OPTION',
    message: /0 to 4/,
  })
  t.throws(() => kernels.randomPattern(4, 4, [0, 2], 1, 1, 0), {
    code: 'ERR_ESPALIER_OPTION',
    message: /block\[0\]/,
  })
  t.throws(() => kernels.randomPattern(4, 4, [2, 2], 1, -1, 0), {
    code: 'ERR_ESPALIER_OPTION',
    message: /seed/,
  })
})

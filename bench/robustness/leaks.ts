import { dense, digits, type Finding, Network, sparse, usage } from './setting.js'

const megabyte = 2 ** 20

/** Networks made, trained a step and dropped, by dispose and by the garbage collector in turn. */
export async function leaks(count: number): Promise<Finding[]> {
  const { train } = digits({ train: 128, test: 10, seed: 1 })
  const collect = globalThis.gc
  if (collect === undefined) throw new Error('run with node --expose-gc')
  const settle = async () => {
    for (let i = 0; i < 3; i++) {
      collect()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  let after100 = 0
  for (let i = 1; i <= count; i++) {
    const network = new Network({
      inputs: train.features,
      layers: [sparse(256, { activation: 'relu' }), sparse(256, { activation: 'relu' }), dense(10)],
      sparsity: 0.9,
      seed: i,
    })
    await network.fit(train, { epochs: 1, batchSize: 128, threads: 2 })
    if (i % 2 === 0) network.dispose()
    if (i % 50 === 0) await settle()
    if (i === 100) after100 = process.memoryUsage.rss()
  }
  await settle()
  const grown = (process.memoryUsage.rss() - after100) / megabyte
  return [
    {
      what: `growth of resident memory over ${count} networks made, trained a step and dropped, after the first 100`,
      measured: `${grown.toFixed(1)} MB; native bytes left: ${usage().nativeBytes}`,
      wanted: '< 20 MB',
      met: grown < 20,
    },
  ]
}

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { repository } from '../addon.js'
import { type Finding, usage } from './setting.js'

const source = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData).then(async ({ digits, Network, sparse, dense, rigl }) => {
    const { train } = digits({ train: 512, test: 10, seed: 1 })
    const network = new Network({ inputs: train.features, layers: [sparse(256), dense(10)], sparsity: 0.9 })
    const run = network.fit(train, { epochs: 1e6, batchSize: 64, threads: 2, rewire: rigl({ every: 3 }) })
    parentPort.postMessage('runs')
    for await (const event of run) if (event.type === 'epoch') await network.snapshot()
  })`

/** Workers started and terminated in the middle of training, ten at a time. */
export async function workers(count: number): Promise<Finding[]> {
  const library = pathToFileURL(join(repository, 'lib', 'index.js')).href
  const before = process.memoryUsage.rss()
  let done = 0
  let after20 = 0
  while (done < count) {
    const together = Array.from({ length: Math.min(10, count - done) }, (_, i) => ({
      worker: new Worker(source, { eval: true, workerData: library }),
      after: (done + i) % 7,
    }))
    await Promise.all(
      together.map(async ({ worker, after }) => {
        await new Promise((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
        })
        await sleep(after * 5)
        await worker.terminate()
      }),
    )
    done += together.length
    if (done === 20) after20 = process.memoryUsage.rss()
  }
  globalThis.gc?.()
  await sleep(100)
  const { nativeBytes, running, waiting } = usage()
  const grown = (process.memoryUsage.rss() - (after20 || before)) / 2 ** 20
  return [
    {
      what: `${count} workers terminated in the middle of training`,
      measured: `no crash, no hang; ${nativeBytes} native bytes, ${running + waiting} runs left; resident memory ${grown >= 0 ? '+' : ''}${grown.toFixed(1)} MB after the first 20`,
      wanted: 'no crash, no hang, no leak',
      met: nativeBytes === 0 && running + waiting === 0 && grown < 40,
    },
  ]
}

import { setTimeout as sleep } from 'node:timers/promises'
import { digits, type Finding, quantile, training, wide } from './setting.js'

/** From abort() to the resolved run, also with other runs beside it. */
export async function cancel(times: number): Promise<Finding[]> {
  const { train } = digits({ train: 8192, test: 10, seed: 1 })
  const findings: Finding[] = []
  for (const beside of [0, 3]) {
    const abortOthers = new AbortController()
    const others = Array.from({ length: beside }, (_, i) => wide(train.features, i + 2))
    const runs = others.map((other) =>
      other.fit(train, { ...training, epochs: 1e6, signal: abortOthers.signal }),
    )
    const network = wide(train.features)
    const took: number[] = []
    for (let i = 0; i < times; i++) {
      const abort = new AbortController()
      const run = network.fit(train, { ...training, epochs: 1e6, signal: abort.signal })
      await sleep(100 + (i % 10) * 7)
      const begin = performance.now()
      abort.abort()
      await run
      took.push(performance.now() - begin)
    }
    network.dispose()
    abortOthers.abort()
    await Promise.all(runs)
    for (const other of others) other.dispose()
    const most = Math.max(...took)
    findings.push({
      what: `from abort to the resolved run, 1024 wide, batch 128, ${beside === 0 ? 'alone' : `beside ${beside} runs`}, most of ${times}`,
      measured: `${most.toFixed(1)} ms (median ${quantile(took, 0.5).toFixed(1)})`,
      wanted: '< 50 ms',
      met: most < 50,
    })
  }
  return findings
}

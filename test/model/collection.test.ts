import { spawnSync } from 'node:child_process'
import t from 'tap'
import { noAddon } from './support.js'

const index = JSON.stringify(new URL('../../lib/index.js', import.meta.url).href)

/** Runs a script in a process of its own, which must end by itself. */
function script(code: string): { status: number | null; lines: string[]; stderr: string } {
  const source = `
    import { setTimeout as sleep } from 'node:timers/promises'
    import { dense, Network, sparse } from ${index}
    const features = 512
    const data = { name: 'zeros', samples: 64, features, values: new Float32Array(64 * features), labels: new Int32Array(64), classes: 2 }
    const make = (width) => new Network({ inputs: features, layers: [sparse(width), dense(2)] })
    ${code}`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', source],
    {
      env: { ...process.env, NODE_OPTIONS: '' },
      encoding: 'utf8',
      timeout: 120_000,
    },
  )
  return { status, lines: stdout.trim().split('\n'), stderr }
}

t.test('networks that nobody holds are freed', { skip: noAddon }, (t) => {
  // Each holds 16 MiB: all of them together would be 2 GiB.
  const { status, lines, stderr } = script(`
    for (let i = 0; i < 128; i++) {
      new Network({ inputs: 4096, layers: [dense(1024, { initialization: 'zeros' }), dense(2)] })
      gc()
      await sleep(1)
    }
    console.log(process.memoryUsage.rss() / 2 ** 20)`)
  t.equal(status, 0, stderr)
  t.ok(Number(lines[0]) < 1024, `${lines[0]} MiB`)
  t.end()
})

t.test('what runs keeps its network alive, and its end lets the process end', { skip: noAddon }, (t) => {
  const { status, lines, stderr } = script(`
    const started = []
    for (let i = 0; i < 3; i++) {
      started.push(make(32).fit(data, { epochs: 30, batchSize: 8 }).then(({ epochs }) => console.log('fit', epochs)))
      started.push(make(32).evaluate(data).then(() => console.log('evaluate')))
      started.push(make(32).snapshot().then(() => console.log('snapshot')))
    }
    for (let i = 0; i < 20; i++) { gc(); await sleep(1) }`)
  t.equal(status, 0, stderr)
  t.strictSame(lines.sort(), [
    ...Array(3).fill('evaluate'),
    ...Array(3).fill('fit 30'),
    ...Array(3).fill('snapshot'),
  ])
  t.end()
})

t.test('a process may end while a network trains', { skip: noAddon }, (t) => {
  const { status, stderr } = script(`
    make(32).fit(data, { epochs: 1e6 })
    await sleep(50)
    process.exit(7)`)
  t.equal(status, 7, stderr)
  t.end()
})

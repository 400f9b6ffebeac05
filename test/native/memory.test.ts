import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { noAddon } from '../model/support.js'

/** Trains with RigL at 8192 x 8192, 99 % sparse, in a process of its own; prints the megabytes that this added. */
const program = `
import { readFileSync } from 'node:fs'
import { dense, Network, rigl, sgd, sparse } from ${JSON.stringify(new URL('../../lib/index.js', import.meta.url).href)}
const megabytes = (field) => Number(readFileSync('/proc/self/status', 'utf8').match(new RegExp(field + ':\\\\s+(\\\\d+)'))[1]) / 1024
const width = 8192, samples = 32
const values = new Float32Array(new SharedArrayBuffer(4 * samples * width)).map((_, i) => Math.sin(i))
const labels = Int32Array.from({ length: samples }, (_, i) => i % 3)
const before = megabytes('VmRSS')
const network = new Network({ inputs: width, layers: [sparse(width), dense(3)], sparsity: 0.99 })
const result = await network.fit({ name: 'waves', samples, features: width, values, labels, classes: 3 }, {
  epochs: 6, batchSize: 16, optimizer: sgd({ learningRate: 0.01 }), rewire: rigl({ every: 2, until: 1 }),
})
console.log(JSON.stringify({ added: megabytes('VmHWM') - before, rewirings: result.rewirings.length }))
`

const notLinux = process.platform !== 'linux' && 'resident memory is read from /proc'
const sanitized = process.env.ESPALIER_SANITIZED !== undefined && 'sanitizers need memory of their own'

t.test(
  'rewiring by gradient never holds a dense matrix',
  { skip: noAddon || notLinux || sanitized },
  async (t) => {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    })
    const { added, rewirings } = JSON.parse(output)
    const denseMegabytes = (8192 * 8192 * 4) / 2 ** 20
    t.ok(rewirings >= 4, `${rewirings} rewirings`)
    t.ok(
      added < denseMegabytes / 3,
      `${added.toFixed(1)} MB added; a dense buffer alone is ${denseMegabytes} MB`,
    )
  },
)

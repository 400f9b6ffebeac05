import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import Table from 'cli-table3'
import { repository } from './addon.js'

// What a network costs while it trains: resident memory of a process of its own, read from the operating system before
// the network exists, while it trains, and at the peak (Linux only).

interface Case {
  name: string
  kind: 'dense' | 'sparse'
  sparsity: number
  block: string
}

const width = 4096
const hidden = 3
const cases: Case[] = [
  { name: 'dense', kind: 'dense', sparsity: 0, block: '1x1' },
  ...[0.9, 0.99].flatMap((sparsity) =>
    ['1x1', '4x1', '4x4', '8x8'].map((block) => ({
      name: `${sparsity * 100} % sparse, ${block}`,
      kind: 'sparse' as const,
      sparsity,
      block,
    })),
  ),
]

function megabytes(field: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${field}:\\s+(\\d+)`))
  return Number(line?.[1]) / 1024
}

/** Trains a few steps of momentum SGD; returns the megabytes that this took at the highest. */
async function train(what: Case, rewires: boolean): Promise<number> {
  const { Network, dense, rigl, sgd, sparse, staticTopology } = (await import(
    pathToFileURL(`${repository}/lib/index.js`).href
  )) as typeof import('../lib/index.js')
  const samples = 512
  const values = new Float32Array(new SharedArrayBuffer(4 * samples * width)).map((_, i) => Math.sin(i))
  const labels = Int32Array.from({ length: samples }, (_, i) => i % 10)
  const data = { name: 'waves', samples, features: width, values, labels, classes: 10 }
  const layer = () =>
    what.kind === 'dense'
      ? dense(width, { activation: 'relu' })
      : sparse(width, { block: what.block as '1x1' })
  const layers = [...Array.from({ length: hidden }, layer), dense(10)]
  const before = megabytes('VmRSS')
  const network = new Network({
    inputs: width,
    layers,
    ...(what.kind === 'sparse' && { sparsity: what.sparsity }),
  })
  await network.fit(data, {
    epochs: 4,
    batchSize: 256,
    optimizer: sgd({ learningRate: 0.001, momentum: 0.9 }),
    rewire: rewires ? rigl({ every: 3, until: 1 }) : staticTopology(),
  })
  return megabytes('VmHWM') - before
}

function inOwnProcess(index: number, rewires: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [String(index), String(rewires)])
    child.once('message', (message) => resolve(message as number))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the process of case ${index} ended with ${code}`)))
  })
}

const chosen = cases[Number(process.argv[2] ?? Number.NaN)]
if (chosen !== undefined) {
  const peak = await train(chosen, process.argv[3] === 'true')
  process.send?.(peak, () => process.disconnect())
} else {
  const table = new Table({
    head: ['network', 'MB', 'of dense', 'MB with RigL', 'of dense'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  })
  let dense: number | undefined
  for (const [index, { name, kind }] of cases.entries()) {
    const fixed = await inOwnProcess(index, false)
    const rewired = kind === 'dense' ? fixed : await inOwnProcess(index, true)
    dense ??= fixed
    table.push([
      name,
      fixed.toFixed(1),
      `1/${(dense / fixed).toFixed(1)}`,
      rewired.toFixed(1),
      `1/${(dense / rewired).toFixed(1)}`,
    ])
  }
  console.log(
    `${width} inputs, ${hidden} hidden layers of ${width}, batch 256, SGD with momentum: peak while training`,
  )
  console.log(table.toString())
}

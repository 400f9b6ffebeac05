/**
 * The GPU that the tests of this folder use: a real one, else the emulation that the build makes for tests, else none.
 * Imported before anything that loads the addon, which looks for CUDA once.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type Dataset,
  dense,
  Network,
  type NetworkOptions,
  type NetworkSnapshot,
  sparse,
  system,
} from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'

const emulated = fileURLToPath(new URL('../../build/Release/espalier_cuda_emulated.so', import.meta.url))
const library = new URL('../../lib/index.js', import.meta.url).href

/** What a program, which must print one JSON value, prints in a process of its own; `espalier` is imported for it. */
export function inChild<T>(program: string, environment: Record<string, string> = {}): T {
  const script = `import * as espalier from ${JSON.stringify(library)}\n${program}`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: 120_000,
  })
  if (child.status !== 0)
    throw new Error(`the child ended with ${child.signal ?? child.status}: ${child.stderr}`)
  return JSON.parse(child.stdout) as T
}

const print = 'console.log(JSON.stringify'

/** False, or why tests of CUDA are skipped. */
export const noCuda = ((): false | string => {
  if (noAddon) return noAddon
  if (!process.env.ESPALIER_CUDA_LIBRARY) {
    const built = inChild<{ usable: boolean; reason: string }>(`${print}(espalier.system().cuda))`)
    if (built.usable) return false
    if (!existsSync(emulated)) return `no GPU (${built.reason}), and no emulation (${emulated} is not built)`
    process.env.ESPALIER_CUDA_LIBRARY = emulated
  }
  const { usable, reason } = system().cuda
  return usable ? false : `${process.env.ESPALIER_CUDA_LIBRARY}: ${reason}`
})()

/** False, or why tests are skipped that need a GPU which fails on demand. */
export const noEmulation = noCuda || (system().cuda.real ? 'a real GPU does not fail on demand' : false)

/** 160 samples of 20 features in 4 classes: ten steps an epoch with a batch of 16. */
export const data: Dataset = clouds(160, 20, 4)

/** The same network on each of the two devices. */
export function pair(options: Partial<NetworkOptions> = {}): { cpu: Network; cuda: Network } {
  const all: NetworkOptions = {
    inputs: 20,
    layers: [sparse(32), sparse(24, { block: '4x1' }), dense(4)],
    sparsity: 0.6,
    seed: 5,
    ...options,
  }
  return { cpu: new Network({ ...all, device: 'cpu' }), cuda: new Network({ ...all, device: 'cuda' }) }
}

/** Largest difference of two lists of numbers of the same length. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!)
    if (!(difference <= largest)) largest = difference
  }
  return largest
}

/** Which connections there are and since when: everything of a network that is whole numbers. */
export function topologyOf({ tensors }: NetworkSnapshot): Record<string, string> {
  const whole = tensors.filter(({ name }) => /\.(crow_indices|col_indices|birth_step)$/.test(name))
  return Object.fromEntries(whole.map(({ name, data }) => [name, data.join()]))
}

/** Largest difference of the weights, biases and so on of two networks that have the same connections. */
export function weightDistance(a: NetworkSnapshot, b: NetworkSnapshot): number {
  const distances = a.tensors.flatMap(({ name, data }) => {
    const other = b.tensors.find((tensor) => tensor.name === name)
    return data instanceof Float32Array ? [distance(data, (other?.data ?? []) as Float32Array)] : []
  })
  return Math.max(...distances)
}

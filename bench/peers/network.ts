import { pathToFileURL } from 'node:url'
import { repository } from '../addon.js'
import type { Task } from './task.js'

/** The package as it was built, `lib/`. */
export const espalier = (await import(
  pathToFileURL(`${repository}/lib/index.js`).href
)) as typeof import('../../lib/index.js')

/** The network of a task: the same weights every time, for its seed is fixed. */
export function networkOf({ sizes, sparsity }: Task) {
  const { Network, dense, sparse, uniform } = espalier
  const hidden = sizes.slice(1, -1).map((size) => sparse(size, { activation: 'relu' }))
  return new Network({
    inputs: sizes[0]!,
    layers: [...hidden, dense(sizes.at(-1)!)],
    sparsity,
    topology: uniform(),
    seed: 1,
    device: 'cpu',
  })
}

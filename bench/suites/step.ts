import type { BenchAddon } from '../addon.js'
import { blockOf, type Group, type Suite } from './suite.js'
import type { DenseWork } from './timer.js'

/** A mask costs the same at every sparsity. */
export const maskSparsity = 0.9

export const networkOf = ({ sizes, batch, threads }: Group) => ({ sizes, batch, threads })

export function denseStepWork(addon: BenchAddon, group: Group): Required<DenseWork> {
  const make: DenseWork['make'] = (way) => addon.denseStep({ ...networkOf(group), ...way, masked: false })
  return {
    name: `step ${Object.values(networkOf(group))}`,
    threads: group.threads,
    make,
    trial: make,
  }
}

/** A whole training step. */
export const stepSuite: Suite = {
  async dense(timer, group) {
    const work = denseStepWork(timer.addon, group)
    const masked = { ...networkOf(group), masked: true, sparsity: maskSparsity } as const
    return {
      dense: await timer.timeDense(work),
      masked: await timer.timeDense({
        ...work,
        make: (way) => timer.addon.denseStep({ ...masked, ...way }),
      }),
    }
  },

  sparse: (timer, group, { sparsity, block, precision }) =>
    timer.time(group.threads, () =>
      timer.addon.sparseStep({ ...networkOf(group), sparsity, block: blockOf(block), precision }),
    ),
}

/** The same step where only the time per connection is asked for: nothing dense beside it. */
export const widthSuite: Suite = { sparse: stepSuite.sparse }

import { networkOf, stepSuite } from './step.js'
import { blockOf, type Suite } from './suite.js'

/** One rewiring of the whole network, beside a training step of the same. */
export const rewiringSuite: Suite = {
  async sparse(timer, group, cell) {
    const { sparsity, block, rule = 'rigl' } = cell
    const step = await stepSuite.sparse(timer, group, cell)
    const rewiring = await timer.time(group.threads, () =>
      timer.addon.rewiring({ ...networkOf(group), sparsity, block: blockOf(block), rule }),
    )
    return { ...rewiring, step }
  },
}

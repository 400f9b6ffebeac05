import { networkOf } from './step.js'
import { blockOf, type Suite } from './suite.js'

/** From samples to class probabilities. */
export const inferenceSuite: Suite = {
  dense: async (timer, group) => ({
    dense: await timer.timeDense({
      name: `inference ${Object.values(networkOf(group))}`,
      threads: group.threads,
      make: (way) => timer.addon.denseInference({ ...networkOf(group), ...way }),
    }),
  }),

  sparse: (timer, group, { sparsity, block, precision }) =>
    timer.time(group.threads, () =>
      timer.addon.sparseInference({ ...networkOf(group), sparsity, block: blockOf(block), precision }),
    ),
}

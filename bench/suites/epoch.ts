import { denseStepWork, maskSparsity, networkOf } from './step.js'
import { blockOf, type Suite } from './suite.js'

/** As many as Fashion-MNIST and MNIST have. */
export const epochSamples = 60_000

/** All steps of one epoch. The dense ways are compared by a single step. */
export const epochSuite: Suite = {
  async dense(timer, group) {
    const work = denseStepWork(timer.addon, group)
    const epoch = { ...networkOf(group), samples: epochSamples }
    return {
      dense: await timer.timeDense({
        ...work,
        make: (way) => timer.addon.denseEpoch({ ...epoch, ...way, masked: false }),
      }),
      masked: await timer.timeDense({
        ...work,
        make: (way) => timer.addon.denseEpoch({ ...epoch, ...way, masked: true, sparsity: maskSparsity }),
      }),
    }
  },

  sparse: (timer, group, { sparsity, block, precision }) =>
    timer.time(group.threads, () =>
      timer.addon.sparseEpoch({
        ...networkOf(group),
        samples: epochSamples,
        sparsity,
        block: blockOf(block),
        precision,
      }),
    ),
}

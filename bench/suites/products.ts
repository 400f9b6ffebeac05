import { type Part, partsOf, products } from '../addon.js'
import { blockOf, type Group, type Suite, sum, sumBaselines } from './suite.js'

/** Wider layers go the way that is the best at this width: to try every way on them takes minutes. */
const widestTrial = 8192

function shapeOf({ sizes, batch, threads }: Group) {
  const [inputs = 0, outputs = 0] = sizes
  return { inputs, outputs, batch, threads }
}

/** The three products of one layer, each timed alone, but for what a layer computes at once. */
export const productsSuite: Suite = {
  async dense(timer, group) {
    const { addon } = timer
    const shape = shapeOf(group)
    const trial = {
      ...shape,
      inputs: Math.min(shape.inputs, widestTrial),
      outputs: Math.min(shape.outputs, widestTrial),
    }
    const baselines = []
    for (const product of products) {
      baselines.push(
        await timer.timeDense({
          name: `${product} ${Object.values(trial)}`,
          threads: group.threads,
          make: (way) => addon.denseProduct({ ...shape, product, ...way }),
          trial: (way) => addon.denseProduct({ ...trial, product, ...way }),
        }),
      )
    }
    return { dense: sumBaselines(baselines) }
  },

  async sparse(timer, group, { sparsity, block }) {
    const shape = shapeOf(group)
    const timings = []
    const parts: Partial<Record<Part, number>> = {}
    const options = { ...shape, sparsity, block: blockOf(block) }
    for (const part of partsOf(block === '1x1')) {
      const timing = await timer.time(group.threads, () =>
        part === 'backward'
          ? timer.addon.sparseBackward(options)
          : timer.addon.sparseProduct({ ...options, product: part }),
      )
      timings.push(timing)
      parts[part] = timing.milliseconds
    }
    return { ...sum(timings), parts }
  },
}

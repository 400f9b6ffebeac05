import { type Product, products } from '../addon.js'
import { blockOf, type Group, type Suite, sum, sumBaselines } from './suite.js'

/** Wider layers go the way that is the best at this width: to try every way on them takes minutes. */
const widestTrial = 8192

function shapeOf({ sizes, batch, threads }: Group) {
  const [inputs = 0, outputs = 0] = sizes
  return { inputs, outputs, batch, threads }
}

/** The three products of one layer, each timed alone. */
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
    const parts: Partial<Record<Product, number>> = {}
    for (const product of products) {
      const timing = await timer.time(group.threads, () =>
        timer.addon.sparseProduct({ ...shape, product, sparsity, block: blockOf(block) }),
      )
      timings.push(timing)
      parts[product] = timing.milliseconds
    }
    return { ...sum(timings), parts: parts as Record<Product, number> }
  },
}

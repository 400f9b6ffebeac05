import type { BenchAddon } from '../addon.js'
import { threadText } from '../markdown.js'
import type { CeilingRecord, FailureRecord, TimedSuite, TimingRecord } from '../records.js'
import { epochSuite } from './epoch.js'
import { inferenceSuite } from './inference.js'
import { threadCounts } from './plan.js'
import { productsSuite } from './products.js'
import { rewiringSuite } from './rewiring.js'
import { stepSuite, widthSuite } from './step.js'
import type { Baselines, Group, Suite } from './suite.js'
import { Timer } from './timer.js'

const suites: Record<TimedSuite, Suite> = {
  products: productsSuite,
  step: stepSuite,
  epoch: epochSuite,
  width: widthSuite,
  rewiring: rewiringSuite,
  inference: inferenceSuite,
}

export interface Listener {
  timed(record: TimingRecord): void
  failed(failure: FailureRecord): void
}

const nameOf = ({ suite, sizes, batch, threads }: Group) =>
  `${suite} ${sizes.join('-')}, batch ${batch}, ${threadText(threads)}`
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function baselinesOf(timer: Timer, group: Group, suite: Suite, listener: Listener): Promise<Baselines> {
  if (!group.dense || suite.dense === undefined) return { dense: null }
  try {
    return await suite.dense(timer, group)
  } catch (error) {
    listener.failed({ what: `dense ${nameOf(group)}`, message: messageOf(error) })
    return { dense: null }
  }
}

/**
 * Times group after group. What fails is told of and left out. Returns how many timings were taken while the
 * host disturbed them (see Calm).
 */
export async function timeGroups(
  addon: BenchAddon,
  groups: readonly Group[],
  seconds: number,
  listener: Listener,
): Promise<number> {
  const timer = new Timer(addon, seconds)
  for (const group of groups) {
    const { batch, threads } = group
    const suite = suites[group.suite]
    const baselines = await baselinesOf(timer, group, suite, listener)
    for (const cell of group.cells) {
      try {
        const timing = await suite.sparse(timer, group, cell)
        const shape = group.sizes.join('-')
        listener.timed({ suite: group.suite, shape, batch, threads, ...cell, ...timing, ...baselines })
      } catch (error) {
        const way = `${cell.block} ${cell.precision} ${cell.sparsity}`
        listener.failed({ what: `${nameOf(group)}, ${way}`, message: messageOf(error) })
      }
    }
  }
  return timer.timedDisturbed
}

/** What the machine can do at best, with each number of threads. */
export function measureCeilings(addon: BenchAddon, processors: number): CeilingRecord[] {
  return threadCounts(processors).map((threads) => ({ threads, ...addon.ceilings(threads) }))
}

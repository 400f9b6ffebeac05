import type { BenchAddon, Dense, Library, Workload } from '../addon.js'
import { glance, measure, releaseWorkloads, type Timing } from '../measure.js'
import type { Baseline } from '../records.js'

/** Dense work in each of the ways that there are. */
export interface DenseWork {
  /** Names the work; ways are compared once for each name. */
  name: string
  threads: number
  make(way: Dense): Workload
  /** Cheaper work of the same products, to compare the ways by. Default: the work itself. */
  trial?(way: Dense): Workload
}

const glanceAt = (make: () => Workload) => glance(make())
const measureIt = (make: () => Workload, seconds: number) => measure(make(), seconds)

/** Times workloads; of dense ones the best library counts, as it runs best. */
export class Timer {
  readonly #libraries: readonly Library[]
  readonly #ways = new Map<string, Dense>()

  constructor(
    readonly addon: BenchAddon,
    /** For each timing. */
    readonly seconds: number,
  ) {
    this.#libraries = addon.libraries().found
  }

  async time(make: () => Workload): Promise<Timing> {
    const timing = measureIt(make, this.seconds)
    await releaseWorkloads()
    return timing
  }

  /** Null where there is no dense library. */
  async timeDense(work: DenseWork): Promise<Baseline | null> {
    const way = await this.#bestWay(work)
    if (way === null) return null
    const library = way.sliced ? `${way.library}, sliced` : way.library
    return { ...(await this.time(() => work.make(way))), library }
  }

  async #bestWay(work: DenseWork): Promise<Dense | null> {
    const known = this.#ways.get(work.name)
    if (known !== undefined) return known
    let best: { way: Dense; seconds: number } | null = null
    for (const way of this.#waysWith(work.threads)) {
      const seconds = glanceAt(() => (work.trial ?? work.make)(way))
      await releaseWorkloads()
      if (best === null || seconds < best.seconds) best = { way, seconds }
    }
    if (best !== null) this.#ways.set(work.name, best.way)
    return best?.way ?? null
  }

  #waysWith(threads: number): Dense[] {
    return this.#libraries.flatMap(({ name }) =>
      (threads === 1 ? [false] : [false, true]).map((sliced) => ({ library: name, sliced })),
    )
  }
}

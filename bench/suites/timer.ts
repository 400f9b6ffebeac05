import type { BenchAddon, Dense, Library, Workload } from '../addon.js'
import { Calm } from '../calm.js'
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

/** How many ways are timed: a glance on a noisy machine may pick one that is not the fastest. */
const timedWays = 2

const glanceAt = (make: () => Workload) => glance(make())
const measureIt = (make: () => Workload, seconds: number) => measure(make(), seconds)

/** Times workloads; of dense ones the best library counts, as it runs best. */
export class Timer {
  readonly #libraries: readonly Library[]
  readonly #ways = new Map<string, readonly Dense[]>()
  readonly #calm: Calm

  constructor(
    readonly addon: BenchAddon,
    /** For each timing. */
    readonly seconds: number,
  ) {
    this.#libraries = addon.libraries().found
    this.#calm = new Calm(addon)
  }

  time(threads: number, make: () => Workload): Promise<Timing> {
    return this.#calm.time(threads, async () => {
      const timing = measureIt(make, this.seconds)
      await releaseWorkloads()
      return timing
    })
  }

  get timedDisturbed(): number {
    return this.#calm.timedDisturbed
  }

  /** Null where there is no dense library. */
  async timeDense(work: DenseWork): Promise<Baseline | null> {
    let best: Baseline | null = null
    for (const way of await this.#fastestWays(work)) {
      const timing = await this.time(work.threads, () => work.make(way))
      if (best !== null && timing.milliseconds >= best.milliseconds) continue
      best = { ...timing, library: way.sliced ? `${way.library}, sliced` : way.library }
    }
    return best
  }

  async #fastestWays(work: DenseWork): Promise<readonly Dense[]> {
    const known = this.#ways.get(work.name)
    if (known !== undefined) return known
    const tried: { way: Dense; seconds: number }[] = []
    for (const way of this.#waysWith(work.threads)) {
      await this.#calm.wait(work.threads)
      tried.push({ way, seconds: glanceAt(() => (work.trial ?? work.make)(way)) })
      await releaseWorkloads()
    }
    tried.sort((a, b) => a.seconds - b.seconds)
    const fastest = tried.slice(0, timedWays).map(({ way }) => way)
    this.#ways.set(work.name, fastest)
    return fastest
  }

  #waysWith(threads: number): Dense[] {
    return this.#libraries.flatMap(({ name }) =>
      (threads === 1 ? [false] : [false, true]).map((sliced) => ({ library: name, sliced })),
    )
  }
}

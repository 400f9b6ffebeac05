import type { Network } from '../model/network.js'
import { type LayerPattern, layerPatterns } from '../model/pattern.js'
import type { NetworkSnapshot } from '../model/snapshot.js'
import type { RunEvent } from '../train/events.js'
import { fanDistance, topologyDistance } from './distance.js'
import { fanCounts, spread } from './fan.js'

/** Which connections a network had at one moment. */
export interface TopologyRecord {
  /** Epochs completed. */
  readonly epochs: number
  /** Steps done. */
  readonly steps: number
  /** One per layer of the network; null where that layer is not sparse. */
  readonly patterns: readonly (LayerPattern | null)[]
}

/** What of a snapshot a series of topologies needs. */
export function topologyRecord(snapshot: NetworkSnapshot): TopologyRecord {
  const { epoch: epochs, step: steps } = snapshot.counters
  return { epochs, steps, patterns: layerPatterns(snapshot) }
}

/**
 * Follows a run: takes the patterns at once, after every epoch event, and at the end. Training goes on meanwhile and
 * stops only between two steps for a copy, so a record may be some steps past the end of its epoch, and of a network
 * that trains faster than events are read epochs may be missing; `steps` says when each was taken. All records are kept
 * in memory, 4 bytes for each connection of each.
 *
 * ```ts
 * const start = topologyRecord(await network.snapshot())
 * const run = network.fit(train, { rewire: rigl() })
 * const [result, records] = await Promise.all([run, recordTopology(network, run)])
 * const series = topologySeries([start, ...records])
 * ```
 *
 * @param network that trains
 * @param run what its `fit` returned; iterated here, which does not disturb other readers
 * @returns the records in their order, no two of the same step; rejects as the run does
 */
export async function recordTopology(
  network: Network,
  run: AsyncIterable<RunEvent>,
): Promise<TopologyRecord[]> {
  const records: TopologyRecord[] = []
  const take = async () => {
    const record = topologyRecord(await network.snapshot())
    if (record.steps !== records.at(-1)?.steps) records.push(record)
  }
  await take()
  for await (const { type } of run) if (type === 'epoch' || type === 'end') await take()
  return records
}

/** A sparse layer at one moment of a series. */
export interface LayerTopology {
  /** Index in `layers`. */
  readonly layer: number
  /** Share of the first record's connections that are gone, 0..1. */
  readonly fromFirst: number
  /** Share of the record before's connections that are gone; 0 for the first. */
  readonly fromPrevious: number
  /** Coefficient of variation of fan-in. */
  readonly fanInCv: number
  /** `fanDistance` of the fan-in to that of the first record, of the one before, and of the last. */
  readonly fanInFromFirst: number
  readonly fanInFromPrevious: number
  readonly fanInFromLast: number
}

/** All sparse layers at one moment of a series. */
export interface TopologyMoment {
  readonly epochs: number
  readonly steps: number
  /** The sparse layers. */
  readonly layers: readonly LayerTopology[]
}

/**
 * How a topology and its distribution of fan-in moved over time. The distribution has converged where
 * `fanInFromPrevious` and `fanInFromLast` are near 0, although connections (`fromPrevious`) still move.
 *
 * @param records of one network, in the order of time
 */
export function topologySeries(records: readonly TopologyRecord[]): TopologyMoment[] {
  const fans = records.map(({ patterns }) => patterns.map((pattern) => pattern && fanCounts(pattern).fanIn))
  return records.map(({ epochs, steps, patterns }, moment) => ({
    epochs,
    steps,
    layers: patterns.flatMap((pattern, layer) => {
      if (pattern === null) return []
      const before = Math.max(0, moment - 1)
      const fanIn = fans[moment]![layer]!
      const gone = (since: number) => topologyDistance(records[since]!.patterns[layer]!, pattern).moved
      const from = (other: number) => fanDistance(fans[other]![layer]!, fanIn)
      return {
        layer,
        fromFirst: gone(0),
        fromPrevious: gone(before),
        fanInCv: spread(fanIn).cv,
        fanInFromFirst: from(0),
        fanInFromPrevious: from(before),
        fanInFromLast: from(records.length - 1),
      }
    }),
  }))
}

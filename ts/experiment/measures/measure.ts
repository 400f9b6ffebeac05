import type { z } from 'zod'
import type { LoadedSplit } from '../../data/loaded.js'
import type { Network } from '../../model/network.js'
import type { EpochEvent, RewireEvent } from '../../train/events.js'
import type { Json } from '../preparations/preparation.js'

/** What a measure sees of a run. */
export interface MeasureContext {
  readonly network: Network
  readonly data: LoadedSplit
  readonly epochs: number
  readonly threads: number
}

/**
 * A measure at work on one run. `start` is called before training, `end` after it, both with the network at rest. `epoch` and
 * `rewired` come while training goes on: what they read of the network is consistent, but may be some steps later, so a
 * measure that reads then says at which step (`snapshot().counters.step`).
 */
export interface MeasureWatch {
  start?(): Promise<void>
  epoch?(event: EpochEvent): Promise<void>
  rewired?(event: RewireEvent): Promise<void>
  /** What is kept in the record of the run. */
  end(): Promise<Json>
}

/** One kind of measure: what its options may be, and how it watches a run. Its options are plain JSON with a `type`. */
export interface MeasureKind<Options extends { readonly type: string }> {
  readonly schema: z.core.$ZodTypeDiscriminable & z.ZodType<Options>
  watch(context: MeasureContext, options: Options): MeasureWatch
  /**
   * Of what `end` gave, the one number of a run that is averaged over seeds and stands in tables beside the accuracy;
   * null where there is none.
   */
  summary(value: Json): number | null
  /** What that number is called there. */
  readonly title: string
}

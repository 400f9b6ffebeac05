import type { z } from 'zod'
import type { LoadedSplit } from '../../data/loaded.js'
import type { NetworkOptions } from '../../model/description.js'
import type { FitSettings } from '../../train/options.js'

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A run about to start; a preparation gives back a changed one. */
export interface PreparedRun {
  readonly data: LoadedSplit
  readonly network: NetworkOptions
  readonly fit: FitSettings
  /** What preparations found out, by name; kept in the record of the run. */
  readonly notes: { readonly [name: string]: Json }
}

/** Where a preparation works. */
export interface PreparationContext {
  /** Of the cell of the grid; null where the method's sparsity is not the grid's to choose. */
  readonly sparsity: number | null
  readonly seed: number
  readonly threads: number
}

/** One kind of preparation: what its options may be, and what it does. Its options are plain JSON with a `type`. */
export interface PreparationKind<Options extends { readonly type: string }> {
  /** Checked before anything trains. */
  readonly schema: z.core.$ZodTypeDiscriminable & z.ZodType<Options>
  /** Whether it trains a network; if not, it is done once before any run starts as well, so that its errors show then. */
  readonly trains: boolean
  /**
   * Done in the worker of the run.
   *
   * @throws EspalierError, which ends this run and no other
   */
  prepare(run: PreparedRun, options: Options, context: PreparationContext): Promise<PreparedRun>
}

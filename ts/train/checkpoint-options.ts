import { z } from 'zod'
import type { NativeCheckpointMoments } from '../native/surface.js'
import { flag, object, real, text, whole } from '../validation.js'

/** Where, how often and how many checkpoints a run writes. */
export interface CheckpointOptions {
  /** File to write, the newest checkpoint; a file that is there is replaced whole or not at all. */
  path: string
  /**
   * Epochs between two checkpoints, >= 1, or `{ steps }`, >= 1, or `{ seconds }`, > 0. One more is written at the end,
   * also of a run that is stopped. A checkpoint that is due while the last one is still being written follows it.
   * Default 1, every epoch.
   */
  every?: number | { epochs: number } | { steps: number } | { seconds: number }
  /** What is kept beside the newest. Default: nothing. */
  keep?: {
    /** So many of the newest, also as `<name>.step-<number><extension>` beside `path`, >= 1. Default: none. */
    last?: number
    /**
     * The best epoch's, as `<name>.best<extension>` beside `path`, by the metric of `earlyStopping`, else by the loss
     * of the validation set, else by that of training. Default false.
     */
    best?: boolean
  }
}

/** The same, checked, with defaults. */
export interface CheckpointPlan {
  readonly path: string
  readonly every: { readonly epochs?: number; readonly steps?: number; readonly seconds?: number }
  /** 0: none. */
  readonly last: number
  readonly best: boolean
}

const everyAllowed =
  'a whole number of epochs >= 1, { epochs }, { steps } (whole numbers >= 1) or { seconds } (> 0)'

const everySchema = z.union(
  [
    whole({ from: 1 }).transform((epochs) => ({ epochs })),
    object({ epochs: whole({ from: 1 }) }),
    object({ steps: whole({ from: 1 }) }),
    object({ seconds: real({ above: 0 }) }),
  ],
  { error: everyAllowed },
)

const keepSchema = object({ last: whole({ from: 1 }).optional(), best: flag().default(false) })

export const checkpointSchema = object({
  path: text('a path'),
  every: everySchema.prefault(1),
  keep: keepSchema.prefault({}),
}).transform(
  ({ path, every, keep }): CheckpointPlan => ({ path, every, last: keep.last ?? 0, best: keep.best }),
)

/** What the addon gets. */
export function toNativeMoments(plan: CheckpointPlan | undefined): NativeCheckpointMoments {
  const { epochs = 0, steps = 0, seconds = 0 } = plan?.every ?? {}
  return { epochs, steps, seconds, best: plan?.best ?? false }
}

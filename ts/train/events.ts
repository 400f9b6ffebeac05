import type {
  NativeMetrics as Metrics,
  NativeRewireLayer,
  NativeFitEnd as RunEnd,
} from '../native/surface.js'

export type { Metrics, RunEnd }

/** Where training is now; at most ten a second, and only the latest is kept for a slow reader. */
export interface ProgressEvent {
  readonly type: 'progress'
  /** The epoch under way, 1 for the first. */
  readonly epoch: number
  /** The last step, from the start of training, whose loss is known; a GPU may be a few steps further. */
  readonly step: number
  readonly stepsPerEpoch: number
  /** Mean loss of that step's batch. */
  readonly loss: number
}

/** An epoch is done. V is Metrics when a validation set was given. */
export interface EpochEvent<V extends Metrics | null = Metrics | null> {
  readonly type: 'epoch'
  /** 1 for the first. */
  readonly epoch: number
  /** Steps done since the start of training. */
  readonly step: number
  /** Over the epoch's batches, each measured before its own update. */
  readonly train: Metrics
  readonly validation: V
  /** At the epoch's last step. */
  readonly learningRate: number
  /** Training alone, validation not counted. */
  readonly seconds: number
  readonly samplesPerSecond: number
  /** Of `seconds`, spent in rewiring. */
  readonly rewireSeconds: number
}

/** Connections moved. */
export interface RewireEvent {
  readonly type: 'rewire'
  readonly epoch: number
  readonly step: number
  /** Share of a layer's connections that moved, after the schedule. */
  readonly fraction: number
  readonly layers: readonly NativeRewireLayer[]
}

/** A checkpoint file is complete on disk. */
export interface CheckpointEvent {
  readonly type: 'checkpoint'
  readonly path: string
  /** Epochs completed in the file. */
  readonly epoch: number
  /** Steps done in the file. */
  readonly step: number
  /** Whether it is the best so far, and so `<name>.best<extension>` as well. */
  readonly best: boolean
}

/** The last event of a run that did not fail. */
export interface EndEvent {
  readonly type: 'end'
  readonly reason: RunEnd
  /** Epochs completed since the start of training. */
  readonly epochs: number
  /** Steps done since the start of training. */
  readonly steps: number
}

/** What the iterators of a run give. */
export type RunEvent<V extends Metrics | null = Metrics | null> =
  | ProgressEvent
  | EpochEvent<V>
  | RewireEvent
  | CheckpointEvent
  | EndEvent

/** What a run resolves to. */
export interface RunResult<V extends Metrics | null = Metrics | null> {
  readonly reason: RunEnd
  /** Epochs completed since the start of training, those before a resume included. */
  readonly epochs: number
  /** Steps done since the start of training, those before a resume included. */
  readonly steps: number
  /** Of the last epoch that this run completed; null when it completed none. */
  readonly trainLoss: number | null
  readonly trainAccuracy: number | null
  /** Of the last epoch that this run completed; null when it completed none or had no validation set. */
  readonly validation: V | null
  /** Wall time of this run, validation included. */
  readonly seconds: number
  /** Over this run's completed epochs, training alone; 0 when it completed none. */
  readonly samplesPerSecond: number
  /** Spent in rewiring over this run's completed epochs. */
  readonly rewireSeconds: number
  /** One event for each epoch that this run completed. */
  readonly history: readonly EpochEvent<V>[]
  readonly rewirings: readonly RewireEvent[]
}

import { type ErrorCode, EspalierError } from '../errors.js'
import type { NetworkSnapshot, Progress } from '../model/snapshot.js'
import { guarded } from '../native/loader.js'
import type {
  NativeCheckpoint,
  NativeData,
  NativeEvent,
  NativeFitSettings,
  NativeNetwork,
  NativeStream,
} from '../native/surface.js'
import type { CheckpointPlan } from './checkpoint-options.js'
import { Checkpointer, type LaidAside, type WriteSnapshot } from './checkpointer.js'
import type { EpochEvent, Metrics, RewireEvent, RunEvent, RunResult } from './events.js'
import type { Feeder } from './stream.js'

/** A training run, with everything checked. */
export interface Training {
  native: Pick<NativeNetwork, 'fit' | 'cancel' | 'takeCheckpoint'>
  train: NativeData | NativeStream
  /** What brings the samples of a stream. */
  feeder: Feeder | null
  validation: NativeData | null
  settings: NativeFitSettings
  signal: AbortSignal | undefined
  checkpoint: CheckpointPlan | undefined
  /** What the addon laid aside as a snapshot. */
  toSnapshot: (state: NativeCheckpoint['state']) => NetworkSnapshot
  /** Takes a consistent copy of the network. */
  take: () => Promise<NetworkSnapshot>
  write: WriteSnapshot
  /** Progress before this run: what a run that never started reports. */
  before: Progress
  /** Called when the addon has taken the run. */
  onStart: () => void
  /** Called when the run ended before it changed anything: refused after all, or aborted. */
  onRefused: () => void
  /** Called whenever training has come further. */
  onProgress: (change: Partial<Progress>) => void
}

type NativeEnd = Extract<NativeEvent, { type: 'end' }>

/**
 * Starts a run on the addon's own thread and follows it to its end: forwards events, saves checkpoints, stops at the
 * signal. Resolves when training is over and the last checkpoint is on disk.
 *
 * @returns a function that runs it, having started it already, so that what the addon refuses is thrown at once
 */
export function startTraining<V extends Metrics | null>(
  training: Training,
): (emit: (event: RunEvent<V>) => void) => Promise<RunResult<V>> {
  const { native, signal, checkpoint, settings, before, feeder } = training
  const started = performance.now()
  const rewiringsBefore = settings.resume ? before.rewirings : 0
  const history: EpochEvent<V>[] = []
  const rewirings: RewireEvent[] = []
  let emit: (event: RunEvent<V>) => void = () => {}
  let failure: { error: unknown } | null = null
  let ended: (event: NativeEnd) => void
  const end = new Promise<NativeEnd>((resolve) => {
    ended = resolve
  })

  const stopFor = (error: unknown) => {
    failure ??= { error }
    native.cancel()
  }
  const takeLaidAside = (): LaidAside | null => {
    const next = guarded(() => native.takeCheckpoint())
    return next && { newest: next.newest, best: next.best, snapshot: training.toSnapshot(next.state) }
  }
  const checkpointer =
    checkpoint === undefined
      ? null
      : new Checkpointer(
          checkpoint,
          settings.resume,
          takeLaidAside,
          training.write,
          (event) => emit(event),
          stopFor,
        )

  const onEvent = (event: NativeEvent) => {
    if (event.type === 'end') {
      const { begun, epochs, steps, rewirings } = event
      if (begun) training.onProgress({ epochs, steps, rewirings })
      ended(event)
      return
    }
    if (event.type === 'progress') training.onProgress({ steps: event.step })
    if (event.type === 'epoch') {
      history.push(event as EpochEvent<V>)
      training.onProgress({ epochs: event.epoch, steps: event.step })
    }
    if (event.type === 'rewire') {
      rewirings.push(event)
      training.onProgress({ steps: event.step, rewirings: rewiringsBefore + rewirings.length })
    }
    if (event.type === 'checkpoint') checkpointer?.wake()
    else if (event.type === 'room') feeder?.room()
    else emit(event as RunEvent<V>)
  }

  const abort = () => native.cancel()
  if (signal?.aborted) {
    ended!({ type: 'end', reason: 'cancelled', error: null, begun: false, ...before })
  } else {
    const start = guarded(() => native.fit(training.train, training.validation, settings, onEvent))
    training.onStart()
    feeder?.run(start).catch(stopFor)
    signal?.addEventListener('abort', abort, { once: true })
  }

  const follow = async (): Promise<RunResult<V>> => {
    const { reason, error, begun, epochs, steps } = await end
    signal?.removeEventListener('abort', abort)
    feeder?.stop()
    await checkpointer?.settle()
    if (!begun) training.onRefused()
    if (reason === 'failed')
      throw new EspalierError(
        (error?.code ?? 'ERR_ESPALIER_INTERNAL') as ErrorCode,
        error?.message ?? 'training failed',
      )
    if (failure !== null) throw failure.error
    const seconds = (performance.now() - started) / 1000
    // A file that is there may hold a network that was trained.
    if (begun) await checkpointer?.finish(await training.take())
    emit({ type: 'end', reason, epochs, steps })
    const last = history[history.length - 1]
    const trained = sum(history.map((epoch) => epoch.seconds))
    return {
      reason,
      epochs,
      steps,
      trainLoss: last?.train.loss ?? null,
      trainAccuracy: last?.train.accuracy ?? null,
      validation: last?.validation ?? null,
      seconds,
      samplesPerSecond:
        trained > 0 ? sum(history.map((epoch) => epoch.samplesPerSecond * epoch.seconds)) / trained : 0,
      rewireSeconds: sum(history.map((epoch) => epoch.rewireSeconds)),
      history,
      rewirings,
    }
  }

  return (sink) => {
    emit = sink
    return follow()
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

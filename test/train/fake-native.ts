import type { NetworkSnapshot } from '../../lib/model/snapshot.js'
import type {
  NativeCheckpoint,
  NativeData,
  NativeEvent,
  NativeFitEnd,
  NativeFitSettings,
  NativeStart,
  NativeState,
  NativeStream,
} from '../../lib/native/surface.js'
import type { RunEvent } from '../../lib/train/events.js'
import { Run } from '../../lib/train/run.js'
import { startTraining, type Training } from '../../lib/train/training.js'

export const epochEvent = (epoch: number, loss = 1 / epoch): Extract<NativeEvent, { type: 'epoch' }> => ({
  type: 'epoch',
  epoch,
  step: epoch * 10,
  train: { loss, accuracy: 0.5 },
  validation: { loss: loss * 2, accuracy: 0.4 },
  learningRate: 0.1,
  seconds: 2,
  samplesPerSecond: 100,
  rewireSeconds: 0.25,
})

export const progressEvent = (step: number): Extract<NativeEvent, { type: 'progress' }> => ({
  type: 'progress',
  epoch: 1,
  step,
  stepsPerEpoch: 10,
  loss: 0.7,
})

export const rewireEvent = (step: number): Extract<NativeEvent, { type: 'rewire' }> => ({
  type: 'rewire',
  epoch: 1,
  step,
  fraction: 0.3,
  layers: [{ layer: 0, moved: 5, returned: 1, connections: 50, removedNeurons: 0, exploration: null }],
})

export const endEvent = (
  reason: NativeFitEnd | 'failed' = 'finished',
  error: { code: string; message: string } | null = null,
  begun = true,
): NativeEvent => ({ type: 'end', reason, error, begun, epochs: 2, steps: 20, rewirings: 0 })

/** Stands in for the addon: the test says what happens and when. */
export class FakeNative {
  fits = 0
  cancels = 0
  /** Names of what a run was asked for. */
  asked: string[] = []
  laidAside: NativeCheckpoint[] = []
  send: (event: NativeEvent) => void = () => {
    throw new Error('no fit was started')
  }

  fit(
    _train: NativeData | NativeStream,
    _validation: NativeData | null,
    _settings: NativeFitSettings,
    onEvent: (event: NativeEvent) => void,
  ): NativeStart {
    this.fits++
    this.send = onEvent
    return { epoch: 0, sample: 0 }
  }

  cancel(): void {
    this.cancels++
  }

  takeCheckpoint(): NativeCheckpoint | null {
    return this.laidAside.shift() ?? null
  }

  /** Lays aside a copy and tells of it. */
  layAside(state: NetworkSnapshot, kind: { newest?: boolean; best?: boolean } = { newest: true }): void {
    const { newest = false, best = false } = kind
    this.laidAside.push({ newest, best, state: state as unknown as NativeState })
    this.send({ type: 'checkpoint' })
  }
}

export const snapshotAt = (epoch: number, value = 1): NetworkSnapshot =>
  ({
    tensors: [{ name: 'layers.0.weight', shape: [1, 1], data: Float32Array.of(value) }],
    counters: {
      epoch,
      step: epoch * 10,
      stepInEpoch: 0,
      rewirings: 0,
      lossSum: 0,
      correct: 0,
      samplesSeen: 0,
    },
  }) as unknown as NetworkSnapshot

/** A run on a fake addon. */
export function fakeRun(native: FakeNative, overrides: Partial<Training> = {}): Run {
  const task = startTraining({
    native,
    train: {} as NativeData,
    feeder: null,
    validation: null,
    settings: { resume: false } as NativeFitSettings,
    signal: undefined,
    checkpoint: undefined,
    toSnapshot: (state) => state as unknown as NetworkSnapshot,
    take: async () => snapshotAt(1),
    write: async () => {},
    before: { epochs: 0, steps: 0, rewirings: 0 },
    onStart: () => {},
    onRefused: () => {},
    onProgress: () => {},
    ...overrides,
  })
  const ask = (name: string) => () => {
    native.asked.push(name)
  }
  return new Run(task, { pause: ask('pause'), resume: ask('resume'), snapshot: async () => snapshotAt(1) })
}

/** Lets everything that waits on promises come to rest. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

export const names = (events: RunEvent[]): string[] =>
  events.map((event) => (event.type === 'epoch' ? `epoch ${event.epoch}` : event.type))

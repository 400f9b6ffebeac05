import { z } from 'zod'
import { EspalierError } from '../errors.js'
import type { NetworkDescription } from '../model/description.js'
import type { NativeData, NativeStart, NativeStream } from '../native/surface.js'
import { object, parse, show, whole } from '../validation.js'
import { toNativeData } from './samples.js'

/** Some samples of a stream: any number of them, at least one. */
export interface SampleChunk {
  /** samples x features, row-major. */
  readonly values: Float32Array
  /** Class of each sample; or targets. */
  readonly labels?: Int32Array
  /** samples x outputs, row-major. */
  readonly targets?: Float32Array
}

/**
 * Training data that comes piece by piece, for what does not fit in memory. Samples are used in the order in which they
 * come: `shuffle` has no say over them.
 */
export interface SampleStream {
  /** Values of a sample: as many as the network has inputs. */
  readonly features: number
  /** Samples of an epoch, >= 1, which decide its steps and so all schedules. What a stream gives beyond is not read. */
  readonly samplesPerEpoch: number
  /** Batches that lie ready at most, >= 1, each in native memory of its own. Default 4. */
  readonly prefetch?: number
  /**
   * Opens the samples of an epoch, 1 for the first. They are asked for as fast as they are used, and no faster. Where a
   * run is resumed in the middle of an epoch, the samples before that place are read and left out, so that a stream
   * that gives the same again leads to the same bits. When the run is over before the stream, its iterator is closed.
   */
  open(epoch: number): AsyncIterable<SampleChunk> | Iterable<SampleChunk>
}

export type TrainingStream = Required<SampleStream>

const streamSchema = object({
  features: whole({ from: 1 }),
  samplesPerEpoch: whole({ from: 1 }),
  prefetch: whole({ from: 1, to: 65_536 }).default(4),
  open: z.custom<SampleStream['open']>((value) => typeof value === 'function', {
    error: 'a function from the number of an epoch to an async iterable of chunks',
  }),
})

export function isStream(train: unknown): train is SampleStream {
  return typeof train === 'object' && train !== null && 'open' in train
}

/** @throws ERR_ESPALIER_OPTION; ERR_ESPALIER_DATA where it does not fit the network */
export function readStream(stream: SampleStream, { inputs }: NetworkDescription): TrainingStream {
  // A stream may be an object of a class, with more in it than this.
  const { features, samplesPerEpoch, prefetch, open } = stream
  const read = parse('fit: train', streamSchema, { features, samplesPerEpoch, prefetch, open })
  if (features !== inputs) {
    const message = `fit: train has ${show(features)} features a sample; the network has ${inputs} inputs`
    throw new EspalierError('ERR_ESPALIER_DATA', message)
  }
  return { ...read, open: (epoch) => stream.open(epoch) }
}

export function toNativeStream({ samplesPerEpoch, prefetch }: TrainingStream): NativeStream {
  return { stream: { samplesPerEpoch, prefetch } }
}

/** Feeds a run with a stream, as fast as the run takes samples. */
export class Feeder {
  #open = true
  #iterator: AsyncIterator<SampleChunk> | Iterator<SampleChunk> | null = null
  #onRoom: () => void = () => {}

  /** @param feed gives samples to the run and tells how many it took */
  constructor(
    private readonly stream: TrainingStream,
    private readonly description: NetworkDescription,
    private readonly epochs: number,
    private readonly feed: (samples: NativeData) => number,
  ) {}

  /**
   * Feeds from a place on, until the epochs are over or the feeder is stopped.
   *
   * @throws what the stream throws; ERR_ESPALIER_DATA where it ends too early or gives what does not fit
   */
  async run({ epoch: first, sample }: NativeStart): Promise<void> {
    for (let epoch = first + 1; this.#open && epoch <= this.epochs; epoch++) {
      await this.#feedEpoch(epoch, epoch === first + 1 ? sample : 0)
    }
  }

  /** Tells that the run takes samples again. */
  room(): void {
    this.#onRoom()
  }

  /** The run is over: closes what is open, without waiting for it. */
  stop(): void {
    this.#open = false
    this.#onRoom()
    this.#close()
  }

  async #feedEpoch(epoch: number, skipped: number): Promise<void> {
    const { samplesPerEpoch } = this.stream
    const chunks = this.stream.open(epoch)
    const iterator = iteratorOf(chunks)
    if (iterator === undefined) {
      const given = `fit: train: what open(${epoch}) returned is ${show(chunks)}`
      throw new EspalierError(
        'ERR_ESPALIER_OPTION',
        `${given}; allowed: an async iterable of chunks, or an iterable`,
      )
    }
    this.#iterator = iterator
    for (let place = 0; this.#open && place < samplesPerEpoch; ) {
      const { done, value } = await iterator.next()
      if (!this.#open) return
      if (done) {
        const came = `fit: train: the stream ended after ${place} samples of epoch ${epoch}`
        throw new EspalierError('ERR_ESPALIER_DATA', `${came}; samplesPerEpoch is ${samplesPerEpoch}`)
      }
      const samples = this.#read(value, epoch, place)
      const end = Math.min(place + samples.samples, samplesPerEpoch)
      if (end > skipped) {
        await this.#give(slice(samples, Math.max(0, skipped - place), end - place))
      }
      place = end
    }
    this.#close()
  }

  /** Checks a chunk as a data set is checked. */
  #read(chunk: SampleChunk, epoch: number, place: number): NativeData {
    const { features } = this.stream
    const length = chunk?.values instanceof Float32Array ? chunk.values.length : 0
    const samples = length / features
    const call = `fit: train: the chunk of epoch ${epoch} from sample ${place} on`
    if (!Number.isInteger(samples) || samples === 0) {
      const allowed = `allowed: { values } of samples x ${features} numbers, at least one sample`
      throw new EspalierError('ERR_ESPALIER_DATA', `${call} has ${length} values; ${allowed}`)
    }
    return toNativeData(call, { ...chunk, samples, features }, this.description, true)
  }

  async #give(samples: NativeData): Promise<void> {
    let given = 0
    while (this.#open) {
      const room = new Promise<void>((resolve) => {
        this.#onRoom = resolve
      })
      given += this.feed(slice(samples, given, samples.samples))
      if (given === samples.samples) return
      await room
    }
  }

  #close(): void {
    const iterator = this.#iterator
    this.#iterator = null
    const closed = async () => iterator?.return?.()
    // Whatever it says now is too late to matter: the run has all it wants.
    closed().catch(() => {})
  }
}

/** What a stream returned may be anything. */
function iteratorOf(chunks: Partial<AsyncIterable<SampleChunk> & Iterable<SampleChunk>> | null | undefined) {
  return chunks?.[Symbol.asyncIterator]?.() ?? chunks?.[Symbol.iterator]?.()
}

function slice(all: NativeData, begin: number, end: number): NativeData {
  if (begin === 0 && end === all.samples) return all
  const part = <A extends Float32Array | Int32Array>(array: A | null): A | null => {
    const each = array === null ? 0 : array.length / all.samples
    return array === null ? null : (array.subarray(begin * each, end * each) as A)
  }
  return {
    samples: end - begin,
    features: all.features,
    values: part(all.values)!,
    labels: part(all.labels),
    targets: part(all.targets),
  }
}

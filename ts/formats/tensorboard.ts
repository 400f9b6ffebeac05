import { type FileHandle, mkdir, open } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { instance, object, parse, readPath, text, whole } from '../validation.js'
import { fileError } from './atomic-file.js'
import { eventBytes, histogramFields, record, scalarFields, versionEvent } from './tensorboard-events.js'

const step = whole()
const isNumber = (value: unknown): value is number => typeof value === 'number'
const scalarsSchema = object({
  step,
  // Infinity and NaN are what there is to see of a run that diverges.
  values: z.record(z.string(), instance(isNumber, 'a number'), {
    error: 'an object of numbers by their tags',
  }),
})

const isList = (value: unknown): value is ArrayLike<number> =>
  typeof value === 'object' && value !== null && isNumber((value as Partial<ArrayLike<number>>).length)
const histogramSchema = object({
  step,
  tag: text('a name'),
  values: instance(isList, 'an array of numbers'),
})

let files = 0

/**
 * Writes scalars and histograms as an event file for TensorBoard (`tensorboard --logdir folder`). Whatever a call has
 * written is in the file when its promise resolves, so TensorBoard can follow a run, and a process that dies leaves a
 * file that is whole up to there.
 */
export class TensorBoardWriter {
  /** The event file. */
  readonly path: string
  readonly #handle: FileHandle
  /** The last write: records never mix. */
  #last: Promise<void> = Promise.resolve()

  private constructor(file: string, handle: FileHandle) {
    this.path = file
    this.#handle = handle
  }

  /**
   * Starts a new event file; those of earlier runs stay, and TensorBoard shows them as one.
   *
   * @param folder made where it is not there
   * @throws ERR_ESPALIER_OPTION; ERR_ESPALIER_FILE with the reason
   */
  static async open(folder: string): Promise<TensorBoardWriter> {
    readPath('TensorBoardWriter.open', folder)
    // TensorBoard looks for "tfevents" and reads files in the order of their names.
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0')
    const file = path.join(folder, `events.out.tfevents.${seconds}.espalier.${process.pid}.${files++}`)
    try {
      await mkdir(folder, { recursive: true })
      const writer = new TensorBoardWriter(file, await open(file, 'ax'))
      await writer.#append(versionEvent())
      return writer
    } catch (cause) {
      throw fileError('write', file, cause)
    }
  }

  /**
   * Writes numbers by their tags; `loss/train` and `loss/validation` share a group.
   *
   * @param step x of the point, a whole number
   * @throws ERR_ESPALIER_OPTION; ERR_ESPALIER_FILE with the reason
   */
  async scalars(step: number, values: Readonly<Record<string, number>>): Promise<void> {
    parse('scalars', scalarsSchema, { step, values })
    const list = Object.entries(values).map(([tag, value]) => scalarFields(tag, value))
    await this.#append(eventBytes(step, list))
  }

  /**
   * Writes how values are distributed, in 64 bins of equal width. Values that are not finite are left out.
   *
   * @throws ERR_ESPALIER_OPTION; ERR_ESPALIER_FILE with the reason
   */
  async histogram(step: number, tag: string, values: ArrayLike<number>): Promise<void> {
    parse('histogram', histogramSchema, { step, tag, values })
    await this.#append(eventBytes(step, [histogramFields(tag, values)]))
  }

  /** Closes the file after what is under way. */
  async close(): Promise<void> {
    await this.#last.catch(() => {})
    await this.#handle.close()
  }

  #append(event: Uint8Array): Promise<void> {
    const write = async () => {
      await this.#handle.appendFile(record(event)).catch((cause) => {
        throw fileError('write', this.path, cause)
      })
    }
    this.#last = this.#last.then(write)
    return this.#last
  }
}

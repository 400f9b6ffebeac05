import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EspalierError } from 'espalier'
import { mutate } from './mutate.js'
import type { Seed, Target } from './target.js'

export interface Failure {
  /** Number of the input, which makes it again. */
  input: number
  what: string
  bytes: Buffer
}

export interface FuzzResult {
  inputs: number
  seconds: number
  /** Inputs that were read without an error. */
  accepted: number
  failures: Failure[]
}

export interface FuzzOptions {
  inputs: number
  seed: number
  /** Number of the first input. */
  first?: number
  /** Where inputs are written, best in memory. */
  folder: string
  /** Called before each input. */
  before?: (input: number) => void
}

/** What a reader may take beyond ten times its input, garbage of earlier inputs included. */
const freeMegabytes = 384
const slowestSeconds = 5
const mostFailures = 20
/** Inputs under way at once, since readers mostly wait for the file system. A hang may be of any of them. */
export const lanes = 8

/** The input of this number: a seed, changed, and made whole again where the format wants it (a length, a checksum). */
export function inputOf(seeds: readonly Seed[], target: Target, seed: number, input: number): Buffer {
  const mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(input, 0xc2b2ae35)
  const chosen = seeds[input % seeds.length]!
  const other = seeds[(Math.imul(input, 7919) % seeds.length) >>> 0] ?? chosen
  const bytes = mutate({ bytes: chosen.bytes, other: other.bytes, tokens: target.tokens }, mixed)
  return chosen.finish?.(bytes) ?? bytes
}

/**
 * Gives a reader mutated inputs. Every one must end in a result or in an EspalierError that is not about a defect of
 * Espalier's own, in a few seconds, within ten times its size of memory and a constant.
 */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzResult> {
  const { inputs, seed, first = 0, folder, before } = options
  const seeds = await target.seeds(folder)
  const failures: Failure[] = []
  let [next, accepted, peak] = [first, 0, 0]

  const tryInput = async (input: number, file: string) => {
    const bytes = inputOf(seeds, target, seed, input)
    writeFileSync(file, bytes)
    before?.(input)
    const start = performance.now()
    const problem = await target.read(file).then(
      () => {
        accepted++
        return null
      },
      (error: unknown) => problemOf(error),
    )
    const seconds = (performance.now() - start) / 1000
    const memory = peakMegabytes()
    const fail = (what: string) => failures.push({ input, what, bytes })
    if (problem !== null) fail(problem)
    if (seconds > slowestSeconds) fail(`it took ${seconds.toFixed(1)} s`)
    if (memory > peak + freeMegabytes + (10 * bytes.length) / 2 ** 20) {
      fail(`the process grew from ${peak.toFixed(0)} to ${memory.toFixed(0)} MB`)
      peak = memory
    }
  }
  const lane = async (number: number) => {
    const file = join(folder, `input-${number}.${target.extension}`)
    while (next < first + inputs && failures.length < mostFailures) await tryInput(next++, file)
  }

  for (const { bytes, finish } of seeds) {
    const file = join(folder, `input-0.${target.extension}`)
    writeFileSync(file, finish?.(bytes) ?? bytes)
    await target.read(file)
  }
  peak = peakMegabytes()
  const started = performance.now()
  await Promise.all(Array.from({ length: Math.min(lanes, inputs) }, (_, number) => lane(number)))
  return { inputs: next - first, seconds: (performance.now() - started) / 1000, accepted, failures }
}

function problemOf(error: unknown): string | null {
  if (!(error instanceof EspalierError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const ours = error.code === 'ERR_ESPALIER_INTERNAL' || error.code === 'ERR_ESPALIER_NATIVE'
  return ours ? (error.stack ?? error.message) : null
}

const peakMegabytes = () => process.resourceUsage().maxRSS / 1024

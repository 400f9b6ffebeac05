import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { EspalierError } from '../../lib/errors.js'

const SHARED = fileURLToPath(new URL('../../../shared/data', import.meta.url))

/** Options for a test that needs the real data sets beside the repository: skips it, saying so, without them. */
export const needsSharedData = existsSync(SHARED) ? {} : { skip: 'no ../shared/data here' }

/** Path of a file of the real data sets. */
export function sharedData(...path: string[]): string {
  return join(SHARED, ...path)
}

/** Awaits a failure that must be an EspalierError of this code whose message matches every pattern. */
export async function rejectsWith(
  t: Test,
  promise: Promise<unknown>,
  code: string,
  ...patterns: (string | RegExp)[]
): Promise<void> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error
    t.equal(error.code, code, error.message)
    for (const pattern of patterns) {
      if (typeof pattern === 'string')
        t.ok(error.message.includes(pattern), `"${error.message}" has "${pattern}"`)
      else t.match(error.message, pattern)
    }
    return
  }
  t.fail(`nothing was thrown; expected ${code}`)
}

/**
 * Cuts a file after every byte, reads each piece, and demands an EspalierError that names the file every time.
 *
 * @param whole lengths at which the file happens to be whole, besides its full length
 */
export async function refusesEveryCut(
  t: Test,
  path: string,
  bytes: Buffer,
  read: () => Promise<unknown>,
  whole: readonly number[] = [],
): Promise<void> {
  const wrong: string[] = []
  for (let length = 0; length < bytes.length; length++) {
    if (whole.includes(length)) continue
    writeFileSync(path, bytes.subarray(0, length))
    try {
      await read()
      wrong.push(`${length} bytes were accepted`)
    } catch (error) {
      if (!(error instanceof EspalierError)) wrong.push(`${length} bytes: ${error}`)
      else if (!error.message.includes(path)) wrong.push(`${length} bytes: no file in "${error.message}"`)
    }
  }
  t.same(wrong, [], `all ${bytes.length} cuts are refused`)
}

/** Changes every byte of a file in several ways; each must be read or refused by an EspalierError, nothing else. */
export async function survivesEveryChange(
  t: Test,
  path: string,
  bytes: Buffer,
  read: () => Promise<unknown>,
): Promise<void> {
  const wrong: string[] = []
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0x00, 0x7f, 0xff, bytes[at]! ^ 0x01, bytes[at]! ^ 0x80]) {
      const changed = Buffer.from(bytes)
      changed[at] = value
      writeFileSync(path, changed)
      try {
        await read()
      } catch (error) {
        if (!(error instanceof EspalierError)) wrong.push(`byte ${at} as ${value}: ${error}`)
      }
    }
  }
  t.same(wrong, [], 'nothing but EspalierError is thrown')
}

/** Whether two arrays hold the same bytes; tap's own comparison takes minutes for large ones. */
export function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return Buffer.compare(bytes(a), bytes(b)) === 0
}

/** Sum of all values; a plain loop, since `reduce` takes seconds for millions of them. */
export function total(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}

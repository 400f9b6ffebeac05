import { random } from '../model/support.js'

/** Numbers that sizes, offsets and counts are most often wrong about. */
const numbers = [0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

/** Most changes of one input; few are likelier than many. */
const mostChanges = 6

/** What an input is made of. */
export interface Material {
  bytes: Buffer
  /** Another input of the corpus, for splices. */
  other: Buffer
  /** Words of the format. */
  tokens: readonly Buffer[]
}

/** Changes bytes at random: a function of its seed alone. */
export function mutate({ bytes, other, tokens }: Material, seed: number): Buffer {
  const draw = random(seed)
  const below = (end: number) => Math.floor(draw() * end)
  const pick = <T>(list: readonly T[]) => list[below(list.length)]!
  const changes = 1 + Math.floor(draw() ** 2 * mostChanges)
  let now: Buffer = Buffer.from(bytes)

  const replace = (at: number, length: number, by: Uint8Array) => {
    now = Buffer.concat([now.subarray(0, at), by, now.subarray(at + length)])
  }
  /** A part of the bytes, more often short than long. */
  const part = (of: Buffer): [from: number, length: number] => {
    const from = below(of.length + 1)
    return [from, Math.floor(draw() ** 3 * (of.length - from + 1))]
  }
  const kinds: (() => void)[] = [
    () => {
      const at = below(now.length)
      now[at] = now[at]! ^ (1 << below(8))
    },
    () => {
      now[below(now.length)] = below(256)
    },
    () => {
      const at = below(now.length)
      now[at] = (now[at]! + pick([1, -1, 16, -16])) & 255
    },
    () => {
      const width = pick([1, 2, 4, 8])
      if (now.length < width) return
      const at = below(now.length - width + 1)
      const value = BigInt.asUintN(8 * width, BigInt(pick(numbers)) + BigInt(below(5) - 2))
      for (let i = 0; i < width; i++) now[at + i] = Number((value >> BigInt(8 * i)) & 255n)
      if (draw() < 0.3) now.subarray(at, at + width).reverse()
    },
    () => replace(...part(now), Buffer.alloc(0)),
    () => {
      const [from, length] = part(now)
      replace(below(now.length + 1), 0, now.subarray(from, from + length))
    },
    () => {
      const [from, length] = part(other)
      replace(...part(now), other.subarray(from, from + length))
    },
    () => replace(below(now.length + 1), draw() < 0.5 ? 0 : below(8), pick(tokens)),
    () => {
      // A number in the text becomes another one.
      const digits = [...now.toString('latin1').matchAll(/\d+/g)]
      if (digits.length === 0) return
      const { index, 0: text } = pick(digits)
      replace(
        index,
        text.length,
        Buffer.from(pick([String(pick(numbers)), '-1', '1e300', `${text}${text}`, '0.5'])),
      )
    },
    () => {
      now = now.subarray(0, below(now.length + 1))
    },
  ]
  for (let i = 0; i < changes; i++) if (now.length > 0 || i === 0) pick(kinds)()
  return now
}

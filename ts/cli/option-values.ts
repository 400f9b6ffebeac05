/** Parsers of option values; each refuses with what is allowed, and commander adds the option and what was given. */
import { InvalidArgumentError } from 'commander'
import type { BlockOption } from '../index.js'

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** A finite number that `test` accepts; `allowed` says which ones it does. */
export function number(allowed: string, test: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = decimal.test(text.trim()) ? Number(text) : Number.NaN
    if (!Number.isFinite(value) || !test(value)) throw new InvalidArgumentError(`Allowed: ${allowed}.`)
    return value
  }
}

/** A whole number from `from` to `to`. */
export function whole(from: number, to: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range =
    to === Number.MAX_SAFE_INTEGER ? `a whole number >= ${from}` : `a whole number from ${from} to ${to}`
  return number(range, (value) => Number.isSafeInteger(value) && value >= from && value <= to)
}

/** A share: 0 <= value <= 1. */
export const share = number('a number from 0 to 1', (value) => value >= 0 && value <= 1)

/** A share that leaves something: 0 <= value < 1. */
export const shareBelowOne = number('0 <= number < 1', (value) => value >= 0 && value < 1)

/** A number above 0. */
export const positive = number('a number > 0', (value) => value > 0)

/** A number not below 0. */
export const notNegative = number('a number >= 0', (value) => value >= 0)

/** Widths of layers, `1024,512`. */
export function widths(text: string): number[] {
  const sizes = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0))
  if (sizes.some((size) => size < 1 || size > 2 ** 24)) {
    throw new InvalidArgumentError(
      'Allowed: whole numbers from 1 to 16777216 with commas between them, such as 1024,512.',
    )
  }
  return sizes
}

/** Numbers not below 0, `1.2,0.8`. */
export function notNegativeNumbers(text: string): number[] {
  const values = text.split(',').map((part) => (decimal.test(part.trim()) ? Number(part) : Number.NaN))
  if (!values.every((value) => value >= 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('Allowed: numbers >= 0 with commas between them, such as 1.2 or 1.2,0.8.')
  return values
}

/** A block shape, `4x1`. */
export function block(text: string): BlockOption {
  const match = /^(\d{1,2})x(\d{1,2})$/.exec(text)
  const [rows, columns] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  if (rows < 1 || rows > 64 || columns < 1 || columns > 64) {
    throw new InvalidArgumentError(
      'Allowed: OUTPUTSxINPUTS with whole numbers from 1 to 64, such as 1x1, 4x1, 4x4 or 8x8.',
    )
  }
  return `${rows}x${columns}`
}

/** Steps between two rewirings, or once an epoch. */
export function interval(text: string): 'epoch' | number {
  if (text === 'epoch') return text
  const steps = /^\d+$/.test(text) ? Number(text) : 0
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new InvalidArgumentError('Allowed: epoch, or a whole number of steps >= 1.')
  return steps
}

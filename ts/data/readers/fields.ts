/** What a field of a table of text is. */

const MISSING = new Set(['', '?', 'na', 'n/a', 'nan', 'null'])
const OTHER_BASE = /^\s*0[box]/i
const INFINITE = /^[+-]?inf(inity)?$/i
const WITH_COMMA = /^[+-]?[\d.]*,[\d.,]*\d(e[+-]?\d+)?$/i

/** The number that a field is, NaN where it is none. 0x10 and 0b11 are numbers to JavaScript, but to no table. */
export function decimal(field: string): number {
  return OTHER_BASE.test(field) ? Number.NaN : Number(field)
}

export function isMissing(field: string): boolean {
  return MISSING.has(field.trim().toLowerCase())
}

/** Neither a number nor missing. */
export function isText(field: string): boolean {
  return Number.isNaN(decimal(field)) && !isMissing(field) && !INFINITE.test(field.trim())
}

/** Text that is a number somewhere else: with a decimal comma, or with commas between the thousands. */
export function hasNumberComma(field: string): boolean {
  return WITH_COMMA.test(field.trim())
}

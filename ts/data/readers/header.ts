import { hasNumberComma, isMissing, isText } from './fields.js'
import { textError } from './text.js'

/** Usual names of a label column. */
export const LABEL_NAMES = ['target', 'label', 'class']

/** Columns from which on a first row of 0, 1, 2, ... can hardly be a sample. */
const SURELY_COUNTED = 4

/**
 * Whether the first row of a table names its columns: where one of its fields is text above a number, or a usual name
 * of a label column, or where all its fields are different texts.
 *
 * @param second the row below it, if there is one
 */
export function looksLikeHeader(first: readonly string[], second: readonly string[] | undefined): boolean {
  if (first.some((field) => LABEL_NAMES.includes(field.trim().toLowerCase()))) return true
  if (first.some((field, column) => isName(field) && isNumber(second?.[column] ?? ''))) return true
  const names = new Set(first.map((field) => field.trim()))
  return names.size === first.length && first.every(isName)
}

/**
 * Whether the first of several rows is the numbers of the columns, 0, 1, 2, 3, ..., as pandas writes them by default.
 *
 * @throws ERR_ESPALIER_FORMAT for 0, 1 and 0, 1, 2, which may as well be a sample
 */
export function isCounted(path: string, line: number, first: readonly string[]): boolean {
  if (first.length < 2 || !first.every((field, column) => field.trim() === String(column))) return false
  if (first.length >= SURELY_COUNTED) return true
  const problem = `the first row is ${first.map((field) => field.trim()).join(', ')}: numbers of columns, or a sample?`
  throw textError(
    path,
    line,
    1,
    `${problem} Say so with the option "header", or give the columns names in the file`,
  )
}

function isName(field: string): boolean {
  return isText(field) && !hasNumberComma(field)
}

function isNumber(field: string): boolean {
  return (!isText(field) && !isMissing(field)) || hasNumberComma(field)
}

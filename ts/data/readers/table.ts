import { closest } from 'fastest-levenshtein'
import { EspalierError } from '../../errors.js'
import type { RawLabels } from '../labels.js'
import {
  GrowingFloats,
  GrowingIntegers,
  LARGEST_FLOAT32,
  type MemoryBudget,
  sharedFloats,
} from '../memory.js'
import type { RawSamples } from '../samples.js'
import { decimal, hasNumberComma, isMissing, isText } from './fields.js'
import { isCounted, LABEL_NAMES, looksLikeHeader } from './header.js'
import { textError } from './text.js'

/** Different values of a text column beyond which one-hot features are refused. */
export const MOST_CATEGORIES = 256

/** What they take at most while columns are settled: a field, a name with its place in a map, an empty map. Measured. */
const BYTES_PER_FIELD = 96
const BYTES_PER_NAME = 192
const BYTES_PER_MAP = 320

/** How a table of text is to be understood. */
export interface TableOptions {
  /** Label column: its name, or its index from 0; null where there is none. Default: target, label, class or the last. */
  readonly label?: string | number | null | undefined
  /** Whether the first row names the columns. Default: recognised. */
  readonly header?: boolean | undefined
  /**
   * Columns (names or indices from 0) that are categories although their first value is a number, or that have "?", "NA"
   * and the like as a category. Default: none.
   */
  readonly categorical?: readonly (string | number)[] | undefined
}

/** What the columns of a table are; a test file is read by the schema of its training file. */
export interface TableSchema {
  readonly names: readonly string[]
  /** Whether a header gave the names; else they are the numbers of the columns. */
  readonly header: boolean
  readonly labelIndex: number | undefined
  /** Per column, the codes of its categories; undefined for a column of numbers and for the label. */
  readonly categories: readonly (ReadonlyMap<string, number> | undefined)[]
  /** Columns that were said to be categories. */
  readonly declared: ReadonlySet<number>
}

/**
 * Takes the rows of a table one by one and makes samples of them. A column is text where its first value is. For the
 * header see header.ts.
 */
export class TableReader {
  readonly #budget: MemoryBudget
  readonly #path: string
  readonly #options: TableOptions
  readonly #like: TableSchema | undefined
  /** Rows held back until header and columns are known: the first two. */
  #held: { fields: string[]; line: number }[] | undefined = []
  #names: readonly string[] = []
  #header = false
  #labelIndex: number | undefined
  #categories: (Map<string, number> | undefined)[] = []
  #declared: ReadonlySet<number> = new Set()
  readonly #values: GrowingFloats
  readonly #labelCodes: GrowingIntegers
  readonly #labelNames = new Map<string, number>()
  #samples = 0

  /** @param budget of the table's file */
  constructor(budget: MemoryBudget, options: TableOptions, like?: TableSchema) {
    this.#budget = budget
    this.#path = budget.path
    this.#values = new GrowingFloats(budget)
    this.#labelCodes = new GrowingIntegers(budget)
    this.#options = options
    this.#like = like
  }

  /** @param line number of the row's first line in the file, from 1 */
  addRow(fields: string[], line: number): void {
    if (this.#held === undefined) {
      this.#addSample(fields, line)
      return
    }
    this.#budget.take(fields.length * BYTES_PER_FIELD)
    this.#held.push({ fields, line })
    if (this.#held.length === 2) this.#begin()
  }

  finish(): { raw: RawSamples; schema: TableSchema } {
    if (this.#held !== undefined) this.#begin()
    const columns = this.#names.map((_, column) => column).filter((column) => column !== this.#labelIndex)
    const widths = columns.map((column) => this.#categories[column]?.size ?? 1)
    const features = widths.reduce((sum, width) => sum + width, 0)
    this.#budget.take(features * BYTES_PER_NAME)
    const values = sharedFloats(this.#samples * features, this.#path, this.#budget)
    const positions = this.#sortCategories()
    const stored = this.#values.view()
    for (let from = 0, to = 0; from < stored.length; ) {
      for (let i = 0; i < columns.length; i++) {
        const value = stored[from++]!
        const position = positions[columns[i]!]
        if (position === undefined) values[to] = value
        else values[to + position[value]!] = 1
        to += widths[i]!
      }
    }
    const raw = {
      source: this.#path,
      samples: this.#samples,
      features,
      values,
      featureNames: columns.flatMap((column) => this.#featureNames(column)),
    }
    const schema = {
      names: this.#names,
      header: this.#header,
      labelIndex: this.#labelIndex,
      categories: this.#categories,
      declared: this.#declared,
    }
    return { raw: this.#labelIndex === undefined ? raw : { ...raw, labels: this.#labels() }, schema }
  }

  /**
   * Puts the categories of every text column in the order of their names, so that the features do not depend on the
   * order of the rows. Returns, per column, the new code of each code given while reading.
   */
  #sortCategories(): (Uint32Array | undefined)[] {
    return this.#categories.map((codes, column) => {
      if (codes === undefined) return undefined
      const names = this.#like === undefined ? [...codes.keys()].sort() : [...codes.keys()]
      const positions = new Uint32Array(names.length)
      names.forEach((name, position) => {
        positions[codes.get(name)!] = position
      })
      this.#categories[column] = new Map(names.map((name, position) => [name, position]))
      return positions
    })
  }

  /** Settles header, label column and column types by the first rows, then takes these as samples. */
  #begin(): void {
    const held = this.#held!
    this.#held = undefined
    const [first, second] = held
    if (first === undefined) throw textError(this.#path, 1, 1, 'the table has no rows')
    this.#header = this.#options.header ?? this.#isHeader(first, second?.fields)
    if (this.#header) {
      held.shift()
      this.#names = first.fields.map((field) => field.trim())
    } else {
      this.#names = this.#like?.names ?? first.fields.map((_, column) => String(column))
    }
    const sample = held[0]
    if (sample === undefined) {
      throw textError(this.#path, first.line, 1, 'the table has a header but no rows below it')
    }
    if (this.#like !== undefined) this.#adopt(this.#like, first.line)
    else this.#settle(sample.fields, sample.line)
    for (const { fields, line } of held) this.#addSample(fields, line)
  }

  #isHeader({ fields, line }: { fields: string[]; line: number }, second: string[] | undefined): boolean {
    const like = this.#like
    if (like?.header === true && fields.length === like.names.length) {
      if (fields.every((field, i) => field.trim() === like.names[i])) return true
    }
    if (looksLikeHeader(fields, second)) return true
    // A test file has such a row where its training file has it.
    return like === undefined && second !== undefined && isCounted(this.#path, line, fields)
  }

  /** @throws ERR_ESPALIER_FORMAT where the columns are not those of the training file */
  #adopt(like: TableSchema, line: number): void {
    if (like.names.length !== this.#names.length) {
      const problem = `${this.#names.length} columns where the training file has ${like.names.length}`
      throw textError(this.#path, line, 1, problem)
    }
    const other = this.#names.findIndex((name, column) => name !== like.names[column])
    if (other >= 0 && this.#header && like.header) {
      const problem = `the column ${quote(this.#names[other]!)} where the training file has ${quote(like.names[other]!)}`
      throw textError(
        this.#path,
        line,
        other + 1,
        `${problem}; the columns must be the same, in the same order`,
      )
    }
    this.#labelIndex = like.labelIndex
    this.#categories = like.categories.map((codes) => codes && new Map(codes))
    this.#declared = like.declared
  }

  #settle(sample: readonly string[], line: number): void {
    const { label, categorical = [] } = this.#options
    this.#labelIndex = label === null ? undefined : this.#findLabel(label)
    const declared = new Set(categorical.map((column) => this.#findColumn(column, 'categorical')))
    this.#declared = declared
    this.#categories = this.#names.map((_, column) => {
      if (column === this.#labelIndex) return undefined
      const field = sample[column]?.trim() ?? ''
      if (!isText(field) && !declared.has(column)) return undefined
      if (!declared.has(column) && hasNumberComma(field)) this.#refuse(field, line, column)
      this.#budget.take(BYTES_PER_MAP)
      return new Map<string, number>()
    })
  }

  #findLabel(label: string | number | undefined): number {
    if (label !== undefined) return this.#findColumn(label, 'label')
    const usual = this.#names.findIndex((name) => LABEL_NAMES.includes(name.toLowerCase()))
    return usual >= 0 ? usual : this.#names.length - 1
  }

  #findColumn(column: string | number, option: string): number {
    const byName = typeof column === 'string' ? this.#names.indexOf(column) : -1
    if (byName >= 0) return byName
    // On a command line an index arrives as text.
    const index = Number(column)
    if (column !== '' && Number.isInteger(index) && index >= 0 && index < this.#names.length) return index
    throw new EspalierError(
      'ERR_ESPALIER_NOT_FOUND',
      `${this.#path}: option "${option}": there is no column ${JSON.stringify(column)} among the ` +
        `${this.#names.length} columns; the nearest name is "${closest(String(column), this.#names)}"`,
    )
  }

  #addSample(fields: readonly string[], line: number): void {
    const names = this.#names
    if (fields.length !== names.length) {
      const column = Math.min(fields.length, names.length) + 1
      throw textError(this.#path, line, column, `${fields.length} fields where ${names.length} are expected`)
    }
    for (let column = 0; column < fields.length; column++) {
      const field = fields[column]!
      if (column === this.#labelIndex) {
        this.#labelCodes.push(this.#labelCode(field, line, column))
        continue
      }
      const categories = this.#categories[column]
      if (categories === undefined) {
        const value = decimal(field)
        // The first test is false for NaN and Infinity too; the second finds the empty field, which counts as 0.
        if (!(Math.abs(value) <= LARGEST_FLOAT32) || (value === 0 && field.trim() === '')) {
          this.#refuse(field, line, column)
        }
        this.#values.push(value)
      } else {
        this.#values.push(this.#category(categories, field, line, column))
      }
    }
    this.#samples++
  }

  #labelCode(field: string, line: number, column: number): number {
    const name = field.trim()
    if (isMissing(name)) this.#refuseMissing(field, line, column, 'every sample needs a label')
    let code = this.#labelNames.get(name)
    if (code === undefined) {
      this.#budget.take(BYTES_PER_NAME)
      code = this.#labelNames.size
      this.#labelNames.set(name, code)
    }
    return code
  }

  #category(categories: Map<string, number>, field: string, line: number, column: number): number {
    const name = field.trim()
    const code = categories.get(name)
    if (code !== undefined) return code
    if (name === '') this.#refuseMissing(field, line, column, 'fill it in, or leave the row out')
    if (isMissing(name) && !this.#declared.has(column)) {
      const advice = 'fill it in, or name the column in "categorical" to make it a category'
      this.#refuseMissing(field, line, column, advice)
    }
    if (this.#like !== undefined) {
      const problem = `the category ${quote(name)} of "${this.#names[column]}" is not in the training file`
      throw textError(this.#path, line, column + 1, problem)
    }
    if (categories.size === MOST_CATEGORIES) {
      const problem = `more than ${MOST_CATEGORIES} different texts in the column "${this.#names[column]}"`
      throw textError(this.#path, line, column + 1, `${problem}; they cannot become one-hot features`)
    }
    this.#budget.take(BYTES_PER_NAME)
    categories.set(name, categories.size)
    return categories.size - 1
  }

  /** Says why a field is not a number. */
  #refuse(field: string, line: number, column: number): never {
    const name = this.#names[column]
    if (hasNumberComma(field)) {
      const rule = 'numbers have a decimal point, and no commas between the thousands'
      const problem = `${quote(field)} in the column "${name}": ${rule}; name the column in "categorical" if it is text`
      throw textError(this.#path, line, column + 1, problem)
    }
    if (isText(field)) {
      const problem = `${quote(field)} in the column "${name}" of numbers; name the column in "categorical" if it is text`
      throw textError(this.#path, line, column + 1, problem)
    }
    const rule = 'every value must be a finite float32'
    if (isMissing(field)) this.#refuseMissing(field, line, column, rule)
    throw this.#dataError(line, column, `the value ${quote(field)} in "${name}"; ${rule}`)
  }

  #refuseMissing(field: string, line: number, column: number, rule: string): never {
    throw this.#dataError(
      line,
      column,
      `a missing value (${quote(field)}) in "${this.#names[column]}"; ${rule}`,
    )
  }

  #dataError(line: number, column: number, problem: string): EspalierError {
    return new EspalierError(
      'ERR_ESPALIER_DATA',
      `${this.#path}: line ${line}, column ${column + 1}: ${problem}`,
    )
  }

  #featureNames(column: number): string[] {
    const name = this.#names[column]!
    const categories = this.#categories[column]
    return categories === undefined ? [name] : [...categories.keys()].map((category) => `${name}=${category}`)
  }

  #labels(): RawLabels {
    const codes = this.#labelCodes.view()
    const names = [...this.#labelNames.keys()]
    const numbers = Float64Array.from(names, decimal)
    if (numbers.some(Number.isNaN)) return Array.from(codes, (code) => names[code]!)
    return Float64Array.from(codes, (code) => numbers[code]!)
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
}

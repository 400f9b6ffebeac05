import { Readable } from 'node:stream'
import Papa from 'papaparse'
import type { RawSamples } from '../samples.js'
import { budgetFor } from './bytes.js'
import { hasNumberComma } from './fields.js'
import { type TableOptions, TableReader, type TableSchema } from './table.js'
import { LONGEST_LINE, textChunks, textError } from './text.js'

const DELIMITERS = ['\t', ',', ';', '|']

/** Options of `readCsvSamples`. */
export interface CsvOptions extends TableOptions {
  /** The schema of the training file, for a test file: same columns, same categories. */
  readonly like?: TableSchema | undefined
  /** See `ReadOptions`. */
  readonly maxBytes?: number | undefined
}

/**
 * Reads a table of comma- or tab-separated values (also `;` and `|`; the first line decides), .gz or not.
 *
 * A header is recognised by what it holds (see header.ts). Columns of numbers become
 * one feature each; columns of text become one feature per category (one-hot). The label column is the one asked
 * for, else one called target, label or class, else the last. Numbers are decimal, with a point.
 *
 * @throws ERR_ESPALIER_FORMAT for a table that is torn, mixes text and numbers or has numbers with commas,
 * ERR_ESPALIER_DATA for missing values (in columns of text too), NaN and Infinity, both naming file, line and column; ERR_ESPALIER_NOT_FOUND for an unknown label column; ERR_ESPALIER_MEMORY.
 */
export async function readCsvSamples(
  path: string,
  options: CsvOptions = {},
  signal?: AbortSignal,
): Promise<{ raw: RawSamples; schema: TableSchema }> {
  const budget = await budgetFor(path, options.maxBytes)
  const chunks = textChunks(path, signal, budget)
  const first = await chunks.next()
  const text = first.done === true ? '' : first.value
  if (text.trim() === '') throw textError(path, 1, 1, 'the file is empty')
  const table = new TableReader(budget, options, options.like)
  await parseRows(path, text, chunks, table)
  return table.finish()
}

/** Feeds every row that is not blank to the table, with its line number. */
async function parseRows(
  path: string,
  first: string,
  rest: AsyncGenerator<string>,
  table: TableReader,
): Promise<void> {
  let line = 1
  let quoted = false
  let received = 0
  async function* all() {
    for (let text: string | undefined = first; text !== undefined; ) {
      quoted ||= text.includes('"')
      received += text.length
      yield text
      const next = await rest.next()
      text = next.done === true ? undefined : next.value
    }
  }
  // Nothing is read ahead of the rows, so that they are all that is in memory.
  const source = Readable.from(all(), { highWaterMark: 1 })
  try {
    await new Promise<void>((resolve, reject) => {
      let failure: unknown
      Papa.parse<string[]>(source, {
        delimiter: guessDelimiter(first),
        newline: lineEnd(first),
        chunk({ data, errors, meta }, parser) {
          // Papa swallows what its callbacks throw or lets it escape to the event loop, depending on the source.
          try {
            const torn = errors.find((error) => error.type === 'Quotes')
            for (let row = 0; row < data.length; row++) {
              if (torn?.row === row) throw textError(path, line, 1, torn.message)
              const fields = data[row]!
              if (fields.length > 1 || fields[0]!.trim() !== '') table.addRow(fields, line)
              line += quoted ? 1 + innerLines(fields) : 1
            }
            // Quotes may join lines to a row, but not to one that is longer than a line may be.
            if (received - meta.cursor > LONGEST_LINE) {
              throw textError(
                path,
                line,
                1,
                `a row of more than ${LONGEST_LINE} characters; is a quote left open?`,
              )
            }
          } catch (error) {
            failure = error
            parser.abort()
          }
        },
        complete: () => (failure === undefined ? resolve() : reject(failure)),
        error: reject,
      })
    })
  } finally {
    source.destroy()
    await rest.return(undefined)
  }
}

/**
 * What rows end with. Rows that end with a carriage return and a line feed end with a line feed too, wherever there are such
 * rows among others: the carriage return is left on the last field, whose ends are trimmed.
 */
function lineEnd(text: string): '\n' | '\r' {
  const end = /^(?:"[^"]*"|[^"\r\n])*(\r?\n|\r)/.exec(text)?.[1]
  return end === '\r' ? '\r' : '\n'
}

/** Line ends inside the quoted fields of a row. */
function innerLines(fields: readonly string[]): number {
  let count = 0
  for (const field of fields) {
    for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) count++
  }
  return count
}

/**
 * The delimiter that the first line holds most of, outside quotes; or the one between numbers with decimal commas, which
 * are to be refused as such.
 */
function guessDelimiter(text: string): string {
  const line = /^[^\r\n]*/.exec(text.trimStart())![0].replaceAll(/"[^"]*"/g, '')
  const between = DELIMITERS.find((delimiter) => delimiter !== ',' && hasDecimalCommas(line.split(delimiter)))
  if (between !== undefined) return between
  let best = ','
  let most = 0
  for (const delimiter of DELIMITERS) {
    const count = line.split(delimiter).length - 1
    if (count > most) {
      best = delimiter
      most = count
    }
  }
  return best
}

function hasDecimalCommas(fields: readonly string[]): boolean {
  return (
    fields.length > 1 &&
    fields.some(hasNumberComma) &&
    fields.every((field) => !field.includes(',') || hasNumberComma(field))
  )
}

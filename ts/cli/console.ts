/** What is printed, and where: the contract of --json and --quiet is kept here and nowhere else. */
import { EspalierError } from '../index.js'

export interface OutputOptions {
  json?: boolean
  quiet?: boolean
}

export class Console {
  readonly json: boolean
  readonly quiet: boolean

  constructor({ json = false, quiet = false }: OutputOptions) {
    this.json = json
    this.quiet = quiet
  }

  /** A line for people: standard output, or standard error where --json keeps that clear. */
  say(line: string): void {
    if (this.quiet) return
    const stream = this.json ? process.stderr : process.stdout
    stream.write(`${line}\n`)
  }

  /** A passing remark for people, never part of the output. */
  note(line: string): void {
    if (!this.quiet) process.stderr.write(`${line}\n`)
  }

  /** The answer of the command: an object with --json, else lines for people. */
  answer(value: object, lines: () => readonly string[]): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`)
    else for (const line of lines()) this.say(line)
  }

  /** Whether a person watches, so that a bar may move. */
  get live(): boolean {
    return !this.quiet && process.stderr.isTTY === true
  }
}

/** Ends the command with an exit code after everything was said. */
export class Exit extends Error {
  readonly exitCode: number
  constructor(exitCode: number) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** A signal ended the command before it had an answer. */
export class Interrupted extends Exit {}

/** Wrong use of the command line, in the command line's own words. */
export function usage(message: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_OPTION', message)
}

/**
 * Prints an error as one line on standard error, and with --json as an object on standard output; with
 * ESPALIER_DEBUG set the stack as well. Returns the exit code: 2 for wrong use, 1 for everything else.
 */
export function reportError(error: unknown, json: boolean): number {
  const code = error instanceof EspalierError ? error.code : 'ERR_ESPALIER_INTERNAL'
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ')
  process.stderr.write(`espalier: ${message}\n`)
  if (process.env.ESPALIER_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
  return code === 'ERR_ESPALIER_OPTION' ? 2 : 1
}

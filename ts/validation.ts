import { closest, distance } from 'fastest-levenshtein'
import { z } from 'zod'
import { type ErrorCode, EspalierError } from './errors.js'

/**
 * The one place where options are checked. Every schema is made of the pieces below, each of which carries the
 * text of what is allowed as its error message; `{}` in that text stands for the option's name.
 */

/** Widest layer: index arrays of both views stay far from what 32 bits can count. */
export const MAX_WIDTH = 2 ** 24
/** Most threads a call may ask for. */
export const MAX_THREADS = 256

/** Bounds of a number: `from` and `to` are inside, `above` and `below` outside. */
export interface Bounds {
  from?: number
  above?: number
  to?: number
  below?: number
}

/** A finite number within bounds. */
export function real(bounds: Bounds = {}) {
  const text = rangeText(bounds) ?? 'a finite number'
  return z.number({ error: text }).refine((value) => within(value, bounds), { error: text })
}

/** A whole number within bounds, at most Number.MAX_SAFE_INTEGER. */
export function whole(bounds: Bounds = {}) {
  const range = rangeText(bounds)
  const text = range === null ? 'a whole number' : `a whole number, ${range}`
  return z
    .number({ error: text })
    .refine((value) => Number.isSafeInteger(value) && within(value, bounds), { error: text })
}

export function flag() {
  return z.boolean({ error: 'true, false' })
}

export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: names.join(', ') })
}

export function text(allowed: string) {
  return z.string({ error: allowed }).min(1, { error: allowed })
}

/**
 * An object with these options and no other.
 *
 * @param elsewhere names that people look for here, and where they belong
 * @param aliases what others call an option, too far from its name for a slip of the finger
 */
export function object<Shape extends z.ZodRawShape>(
  shape: Shape,
  elsewhere: Record<string, string> = {},
  aliases: Record<string, keyof Shape & string> = {},
) {
  // The message of an unknown option is made by `unknownOption`, which needs to know these.
  const known = JSON.stringify({ names: Object.keys(shape), elsewhere, aliases } satisfies KnownOptions)
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? known : 'an object'),
  })
}

interface KnownOptions {
  names: string[]
  elsewhere: Record<string, string>
  aliases: Record<string, string>
}

/** An option that is fine by itself but impossible beside the others, and why. */
export interface Clash<Option extends PropertyKey> {
  option: Option
  reason: string
}

/** An object whose options must also fit together: `find` gives what does not, looking at them with their defaults. */
export function together<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  find: (options: z.output<z.ZodObject<Shape, z.core.$strict>>) => Clash<keyof Shape & string> | null,
) {
  return schema.superRefine((options, context) => {
    const clash = find(options)
    if (clash === null) return
    const { option, reason } = clash
    // It may be a default, which what was given does not tell.
    const params = { value: (options as Record<string, unknown>)[option] }
    context.addIssue({ code: 'custom', path: [option], message: reason, params })
  })
}

/** A value of a class, as it is. */
export function instance<T>(test: (value: unknown) => value is T, allowed: string) {
  return z.custom<T>(test, { error: allowed })
}

/** Several kinds of description told apart by their `type`; `allowed` names the builders. */
export function oneKind<
  const Kinds extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]],
>(kinds: Kinds, allowed: string) {
  return z.discriminatedUnion('type', kinds, { error: allowed })
}

/**
 * Checks `value` and fills in the defaults.
 *
 * @param call how the user wrote the call, for example `fit` or `sparse(1024)`; begins the message
 * @throws EspalierError with `code`, whose message names the option, what was given and what is allowed
 */
export function parse<Out>(
  call: string,
  schema: z.ZodType<Out>,
  value: unknown,
  code: ErrorCode = 'ERR_ESPALIER_OPTION',
): Out {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new EspalierError(code, `${call}: ${explain(result.error.issues[0]!, value)}`)
}

/** The path of a file or folder, as a call got it. */
export function readPath(call: string, path: string): string {
  return parse(call, object({ path: text('a path') }), { path }).path
}

/** An option that is fine by itself but impossible beside the others. */
export function impossible(call: string, name: string, given: unknown, reason: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_OPTION', `${call}: option "${name}" is ${show(given)}; ${reason}`)
}

/** Freezes a description and everything in it. */
export function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part)
  return Object.freeze(value)
}

/** A value in a few words, for a message. @param depth arrays around it; JSON from outside may have any number */
export function show(value: unknown, depth = 0): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (Array.isArray(value)) {
    const short = value.length <= 4 && depth < 3
    return short ? `[${value.map((part) => show(part, depth + 1)).join(', ')}]` : 'an array'
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  const name = Object.getPrototypeOf(value)?.constructor?.name
  return name === undefined || name === 'Object' ? 'an object' : `of class ${name}`
}

function explain(issue: z.core.$ZodIssue, root: unknown): string {
  const { path, value } = follow(root, issue.path)
  if (issue.code === 'unrecognized_keys')
    return unknownOption(path, issue.keys[0]!, JSON.parse(issue.message))
  const named = path.findLastIndex((step) => typeof step === 'string')
  const leaf = named < 0 ? 'value' : pathText(path.slice(named))
  const allowed = issue.message.replaceAll('{}', leaf)
  const name = path.length === 0 ? 'options are' : `option "${pathText(path)}" is`
  if (issue.code === 'custom' && issue.params !== undefined)
    return `${name} ${show(issue.params.value)}; ${issue.message}`
  if (value === undefined) return `${name} missing; allowed: ${allowed}`
  return `${name} ${show(value)}; ${hint(value, allowed)}allowed: ${allowed}`
}

function unknownOption(path: PropertyKey[], key: string, known: KnownOptions): string {
  const { names, elsewhere, aliases } = known
  const near = Object.hasOwn(aliases, key)
    ? aliases[key]!
    : nearest(key, [...names, ...Object.keys(elsewhere)])
  const prefix = path.length === 0 ? '' : `${pathText(path)}.`
  const begin = `unknown option "${prefix}${key}"; `
  if (near === null) return `${begin}allowed: ${names.join(', ')}`
  const place = elsewhere[near]
  if (near === key) return `${begin}it belongs in ${place}`
  return `${begin}did you mean "${prefix}${near}"?${place === undefined ? '' : ` It belongs in ${place}`}`
}

function hint(value: unknown, allowed: string): string {
  if (typeof value === 'function' && allowed.includes(`${value.name}(`))
    return `call it: ${value.name}(...); `
  if (typeof value !== 'string') return ''
  const near = nearest(value, allowed.split(', '))
  return near === null ? '' : `did you mean "${near}"? `
}

/** The nearest name, when it is near enough to be a slip of the finger, or begins with what was given. */
function nearest(given: string, names: string[]): string | null {
  const plain = names.filter((name) => /^\w+$/.test(name))
  const lower = plain.map((name) => name.toLowerCase())
  const wanted = given.toLowerCase()
  if (plain.length === 0) return null
  const found = closest(wanted, lower)
  // Two neighbouring letters that changed places count as two.
  // A name of two letters is near to every other.
  const limit = given.length < 3 ? 0 : given.length < 4 ? 1 : Math.max(2, Math.floor(given.length / 3))
  if (distance(wanted, found) <= limit) return plain[lower.indexOf(found)]!
  return plain.find((_, i) => wanted.length > 2 && lower[i]!.startsWith(wanted)) ?? null
}

/**
 * Walks as far as the value given goes. A short form such as `activation: 'relu'` is checked as
 * `{ type: 'relu' }`, and its errors must name `activation`, the option that the user wrote.
 */
function follow(root: unknown, steps: PropertyKey[]): { path: PropertyKey[]; value: unknown } {
  const path: PropertyKey[] = []
  let value = root
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) break
    value = (value as Record<PropertyKey, unknown>)[step]
    path.push(step)
  }
  if (path.length > 1 && path[path.length - 1] === 'type' && value === undefined)
    return follow(root, path.slice(0, -1))
  return { path, value }
}

function pathText(path: PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('')
}

function within(value: number, { from, above, to, below }: Bounds): boolean {
  if (from !== undefined && value < from) return false
  if (above !== undefined && value <= above) return false
  if (to !== undefined && value > to) return false
  return below === undefined || value < below
}

function rangeText({ from, above, to, below }: Bounds): string | null {
  const low = from !== undefined ? `${from} <= ` : above !== undefined ? `${above} < ` : ''
  const high = to !== undefined ? ` <= ${to}` : below !== undefined ? ` < ${below}` : ''
  if (low === '' && high === '') return null
  if (high === '') return `{} ${from !== undefined ? `>= ${from}` : `> ${above}`}`
  return `${low}{}${high}`
}

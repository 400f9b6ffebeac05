import { EspalierError } from '../errors.js'
import { decimal } from './readers/fields.js'

/** Labels as a file holds them: numbers or names, one per sample. */
export type RawLabels = Float64Array | readonly string[]

/** More classes than this, and more than half as many as samples, are taken for a regression target. */
const MANY_CLASSES = 100

/**
 * Maps labels of any kind to 0 .. classes - 1: numbers in ascending order, names in the order of their code units.
 *
 * @param parts the labels of the parts of one data set (train, test); they share one mapping
 * @param source the file, for messages
 * @throws ERR_ESPALIER_DATA for a label that is NaN or Infinity, or where the labels are not classes at all.
 */
export function encodeLabels(
  parts: readonly RawLabels[],
  source: string,
): { labels: Int32Array[]; classes: number; classNames: string[] } {
  const numeric = parts.every((part) => part instanceof Float64Array)
  const codes = new Map<number | string, number>()
  let samples = 0
  for (const part of parts) {
    samples += part.length
    for (let i = 0; i < part.length; i++) {
      const label = part[i]!
      if (typeof label === 'number' && !Number.isFinite(label)) {
        throw new EspalierError('ERR_ESPALIER_DATA', `${source}: the label of sample ${i} is ${label}`)
      }
      codes.set(numeric ? label : String(label), 0)
    }
  }
  const ordered = numeric
    ? Float64Array.from(codes.keys() as MapIterator<number>).sort()
    : [...codes.keys()].map(String).sort()
  if (ordered.length > MANY_CLASSES && ordered.length > samples / 2) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${source}: ${ordered.length} different labels among ${samples} samples are not classes; ` +
        `name another label column, or ask for task 'regression'`,
    )
  }
  const classNames: string[] = []
  for (let code = 0; code < ordered.length; code++) {
    codes.set(ordered[code]!, code)
    classNames.push(String(ordered[code]))
  }
  const labels = parts.map((part) =>
    Int32Array.from({ length: part.length }, (_, i) => codes.get(numeric ? part[i]! : String(part[i]))!),
  )
  return { labels, classes: ordered.length, classNames }
}

/** Numbers for regression. @throws ERR_ESPALIER_DATA where a target is not a finite float32. */
export function encodeTargets(raw: RawLabels, source: string): Float32Array {
  const targets = new Float32Array(raw.length)
  for (let i = 0; i < raw.length; i++) {
    const given = raw[i]!
    targets[i] = typeof given === 'number' ? given : decimal(given)
    if (!Number.isFinite(targets[i])) {
      throw new EspalierError('ERR_ESPALIER_DATA', `${source}: the target of sample ${i} is ${raw[i]}`)
    }
  }
  return targets
}

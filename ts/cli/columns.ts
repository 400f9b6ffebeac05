/** Whether samples have the columns that a network was trained on. */
import { type Dataset, EspalierError, type RunRecord } from '../index.js'

/**
 * Refuses samples of another number of features, and of other names where both sides have names.
 *
 * @param source how the user named the samples
 * @throws ERR_ESPALIER_DATA naming the first feature that differs
 */
export function checkColumns(source: string, samples: Dataset, trained: RunRecord['dataset']): void {
  const own = samples.featureNames
  const wanted = trained.featureNames
  const wrong = own && wanted ? firstOther(own, wanted) : -1
  if (samples.features === trained.features && wrong < 0) return
  const problems = [
    ...(samples.features === trained.features
      ? []
      : [`${samples.features} features where the network was trained on ${trained.features}`]),
    ...(wrong < 0
      ? []
      : [
          `feature ${wrong} (from 0) is "${own![wrong]}" where the network was trained on "${wanted![wrong]}"`,
        ]),
  ]
  throw new EspalierError(
    'ERR_ESPALIER_DATA',
    `${source}: ${problems.join('; ')}; the columns must be those of the training file, in the same order, and columns ` +
      'of text must have the same categories',
  )
}

function firstOther(own: readonly string[], wanted: readonly string[]): number {
  // A file without a header has numbers for names: there only the categories can be compared.
  const [ownCounted, wantedCounted] = [own.every(isCounted), wanted.every(isCounted)]
  const same = (a: string, b: string): boolean => {
    if (ownCounted === wantedCounted) return a === b
    return ownCounted ? b.endsWith(categoryOf(a)) : a.endsWith(categoryOf(b))
  }
  return own.findIndex((name, i) => i < wanted.length && !same(name, wanted[i]!))
}

function isCounted(name: string): boolean {
  return /^\d+(=|$)/.test(name)
}

/** With its equals sign; empty for a column of numbers. */
function categoryOf(counted: string): string {
  return counted.slice(counted.match(/^\d+/)![0].length)
}

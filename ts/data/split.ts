import { EspalierError } from '../errors.js'
import { flag, object, parse, real, whole } from '../validation.js'
import type { Dataset, DatasetSplit } from './dataset.js'
import { checkDataset, seedOption } from './options.js'
import { Random, range } from './random.js'
import { selectSamples } from './select.js'

/** Options of `splitDataset`. */
export interface SplitOptions {
  /** Share of the samples that become the test part, above 0 and below 1. Default: 0.2. */
  readonly testFraction?: number
  /** Same seed, same split. A safe integer >= 0. Default: 0. */
  readonly seed?: number
  /** Keep the shares of the classes in both parts. Default: true where the data set has labels. */
  readonly stratify?: boolean
}

const schema = object({
  testFraction: real({ above: 0, below: 1 }).default(0.2),
  seed: seedOption.default(0),
  stratify: flag().optional(),
})

/**
 * Divides a data set into a training and a test part, round(samples x testFraction) samples in the test part. Both
 * keep the order of the samples. Stratified, each class gives its share by largest remainder, but never its last
 * training sample.
 *
 * @throws ERR_ESPALIER_OPTION; ERR_ESPALIER_DATA where a part would be empty, or labels are not classes.
 */
export function splitDataset(dataset: Dataset, options: SplitOptions = {}): DatasetSplit {
  const { testFraction, seed, stratify } = parse('splitDataset', schema, options)
  checkDataset('splitDataset', dataset)
  const { samples, labels } = dataset
  if (stratify === true && labels === undefined) {
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      'splitDataset: option "stratify" needs labels, the data set has none',
    )
  }
  const groups = labels !== undefined && stratify !== false ? groupByClass(dataset, labels) : [range(samples)]
  const inTest = draw(groups, Math.round(samples * testFraction), seed, true)
  const test = range(samples).filter((sample) => inTest[sample] === 1)
  const train = range(samples).filter((sample) => inTest[sample] === 0)
  if (train.length === 0 || test.length === 0) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${dataset.name}: ${samples} samples cannot be divided with testFraction ${testFraction}; a part would be empty`,
    )
  }
  return { train: selectSamples(dataset, train), test: selectSamples(dataset, test) }
}

/**
 * A smaller data set: `count` samples drawn without replacement, the shares of the classes kept where there are
 * labels. They keep their order.
 *
 * @param count 1 .. samples
 * @param seed a safe integer >= 0. Default: 0.
 * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA
 */
export function takeSamples(dataset: Dataset, count: number, seed = 0): Dataset {
  checkDataset('takeSamples', dataset)
  const { samples, labels } = dataset
  parse('takeSamples', object({ count: whole({ from: 1, to: samples }), seed: seedOption }), { count, seed })
  const groups = labels === undefined ? [range(samples)] : groupByClass(dataset, labels)
  const chosen = draw(groups, count, seed, false)
  return selectSamples(
    dataset,
    range(samples).filter((sample) => chosen[sample] === 1),
  )
}

/** @throws ERR_ESPALIER_DATA for labels that are not one of the classes for each sample */
function groupByClass({ name, samples, classes }: Dataset, labels: Int32Array): Uint32Array[] {
  if (labels.length !== samples) {
    throw new EspalierError('ERR_ESPALIER_DATA', `${name}: ${labels.length} labels for ${samples} samples`)
  }
  const wrong = labels.findIndex((label) => !(label >= 0 && label < classes))
  if (wrong >= 0) {
    const problem = `sample ${wrong} has label ${labels[wrong]}, but classes is ${classes}`
    throw new EspalierError('ERR_ESPALIER_DATA', `${name}: ${problem}`)
  }
  const groups: number[][] = Array.from({ length: classes }, () => [])
  for (let sample = 0; sample < labels.length; sample++) groups[labels[sample]!]!.push(sample)
  return groups.map((group) => Uint32Array.from(group))
}

/** Draws `count` samples, each group giving its share. Returns 1 for every sample that was drawn, else 0. */
function draw(groups: readonly Uint32Array[], count: number, seed: number, leaveOne: boolean): Uint8Array {
  const random = new Random(seed)
  const drawn = new Uint8Array(groups.reduce((sum, group) => sum + group.length, 0))
  const shares = apportion(
    groups.map((group) => group.length),
    count,
    leaveOne,
  )
  groups.forEach((group, i) => {
    for (const sample of random.shuffle(group).subarray(0, shares[i])) drawn[sample] = 1
  })
  return drawn
}

/** Shares of `count` in proportion to `sizes`, by largest remainder, ties to the earlier group. */
function apportion(sizes: readonly number[], count: number, leaveOne: boolean): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const most = sizes.map((size) => (leaveOne ? Math.max(size - 1, 0) : size))
  const exact = sizes.map((size) => (size * count) / total)
  const shares = exact.map((share, i) => Math.min(Math.floor(share), most[i]!))
  let left = count - shares.reduce((sum, share) => sum + share, 0)
  const order = exact
    .map((_, i) => i)
    .sort((a, b) => exact[b]! - shares[b]! - (exact[a]! - shares[a]!) || a - b)
  // More than one round only where groups are full; it ends when all are.
  for (let given = true; left > 0 && given; ) {
    given = false
    for (const i of order) {
      if (left === 0 || shares[i]! >= most[i]!) continue
      shares[i]!++
      left--
      given = true
    }
  }
  return shares
}

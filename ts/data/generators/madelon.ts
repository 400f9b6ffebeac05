import type { z } from 'zod'
import { EspalierError } from '../../errors.js'
import { object, parse, real, whole } from '../../validation.js'
import type { Dataset, DatasetSplit } from '../dataset.js'
import { sharedFloats } from '../memory.js'
import { countOption, seedOption } from '../options.js'
import { Random, range } from '../random.js'

/** Options of `madelon`. */
export interface MadelonOptions {
  /** Training samples. Default: 2000. */
  readonly train?: number
  /** Test samples. Default: 600. */
  readonly test?: number
  /** Features that span the hypercube. 1 to 30. Default: 5. */
  readonly informative?: number
  /** Features that are random linear combinations of the informative ones. Default: 15. */
  readonly redundant?: number
  /** Features that copy one of the features above. Default: 0. */
  readonly repeated?: number
  /** Features of noise alone. Default: 480. */
  readonly probes?: number
  /** Clusters of each of the two classes; twice as many must fit on the corners. Default: 16. */
  readonly clustersPerClass?: number
  /** Distance of a corner from the middle along each edge, where the clusters' own spread is about 1. Default: 2. */
  readonly separation?: number
  /** Share of samples whose class is drawn anew, 0 to 1. Default: 0.01. */
  readonly flip?: number
  /** Same seed, same data. A safe integer >= 0. Default: 0. */
  readonly seed?: number
}

const schema = object({
  train: countOption(2).default(2000),
  test: countOption(2).default(600),
  informative: whole({ from: 1, to: 30 }).default(5),
  redundant: countOption(0).default(15),
  repeated: countOption(0).default(0),
  probes: countOption(0).default(480),
  clustersPerClass: countOption(1).default(16),
  separation: real({ above: 0, to: 1e6 }).default(2),
  flip: real({ from: 0, to: 1 }).default(0.01),
  seed: seedOption.default(0),
})
type Settings = z.output<typeof schema>

/** What is drawn once for both parts. */
interface Construction {
  /** Corner of each cluster, -separation or +separation along each informative axis. */
  readonly corners: readonly Float64Array[]
  /** Class of each cluster. */
  readonly classes: Uint32Array
  /** informative x informative per cluster: gives it a covariance of its own. */
  readonly mixes: readonly Float64Array[]
  /** redundant x informative. */
  readonly combinations: Float64Array
  /** Which useful feature each repeated one copies. */
  readonly copies: Uint32Array
  /** Where each feature stands in the table. */
  readonly places: Uint32Array
}

const CONSTRUCTION_STREAM = 0
const TRAIN_STREAM = 1
const TEST_STREAM = 2

/**
 * The artificial data set Madelon of the NIPS 2003 feature selection challenge: two classes, each a number of
 * Gaussian clusters on random corners of a hypercube, so that no single feature tells anything about the class;
 * to the informative features come linear combinations of them, copies, and probes of pure noise, all in random
 * order; a few labels are wrong. Features are named informative0, redundant0, repeated0, probe0 and so on.
 *
 * Source: Guyon, "Design of experiments for the NIPS 2003 variable selection benchmark" (2003). Its random shift
 * and scale of each feature is left out, since standardising undoes it.
 *
 * @returns values not scaled; `loadDataset('madelon')` standardises them
 * @throws ERR_ESPALIER_OPTION
 */
export function madelon(options: MadelonOptions = {}): DatasetSplit {
  const settings = parse('madelon', schema, options)
  const { informative, clustersPerClass, train, test } = settings
  if (2 * clustersPerClass > 2 ** informative) {
    throw new EspalierError(
      'ERR_ESPALIER_OPTION',
      `madelon: option "clustersPerClass" is ${clustersPerClass}: 2 x ${clustersPerClass} clusters do not fit on the ` +
        `${2 ** informative} corners of a hypercube of ${informative} informative features`,
    )
  }
  const construction = construct(settings)
  return {
    train: drawPart(settings, construction, train, TRAIN_STREAM),
    test: drawPart(settings, construction, test, TEST_STREAM),
  }
}

function construct(settings: Settings): Construction {
  const { informative, redundant, repeated, probes, clustersPerClass, separation, seed } = settings
  const random = new Random(seed, CONSTRUCTION_STREAM)
  const clusters = 2 * clustersPerClass
  const corners = drawCorners(informative, clusters, random).map((corner) =>
    Float64Array.from({ length: informative }, (_, axis) =>
      (corner >>> axis) & 1 ? separation : -separation,
    ),
  )
  return {
    corners,
    classes: random.shuffle(range(clusters).map((cluster) => cluster % 2)),
    mixes: corners.map(() => uniforms(informative * informative, random)),
    combinations: uniforms(redundant * informative, random),
    copies: range(repeated).map(() => random.below(informative + redundant)),
    places: random.shuffle(range(informative + redundant + repeated + probes)),
  }
}

/** Draws distinct corners of the hypercube as bit patterns (Floyd's sampling, then shuffled). */
function drawCorners(informative: number, count: number, random: Random): number[] {
  const all = 2 ** informative
  const drawn = new Set<number>()
  for (let limit = all - count; limit < all; limit++) {
    const corner = random.below(limit + 1)
    drawn.add(drawn.has(corner) ? limit : corner)
  }
  return random.shuffle([...drawn])
}

function uniforms(count: number, random: Random): Float64Array {
  return Float64Array.from({ length: count }, () => random.uniform(-1, 1))
}

function drawPart(settings: Settings, construction: Construction, samples: number, stream: number): Dataset {
  const { informative, redundant, repeated, probes, flip, seed } = settings
  const { corners, classes, mixes, combinations, copies, places } = construction
  const random = new Random(seed, stream)
  const useful = informative + redundant + repeated
  const features = useful + probes
  const values = sharedFloats(samples * features, 'madelon')
  const labels = new Int32Array(samples)
  // Clusters take turns and are then shuffled, so every one has its share.
  const clusters = random.shuffle(range(samples).map((sample) => sample % corners.length))
  const noise = new Float64Array(informative)
  const sample = new Float64Array(features)
  for (let i = 0; i < samples; i++) {
    const cluster = clusters[i]!
    for (let axis = 0; axis < informative; axis++) noise[axis] = random.normal()
    for (let axis = 0; axis < informative; axis++) {
      sample[axis] = corners[cluster]![axis]! + combine(mixes[cluster]!, axis, noise)
    }
    for (let j = 0; j < redundant; j++) sample[informative + j] = combine(combinations, j, sample)
    for (let j = 0; j < repeated; j++) sample[informative + redundant + j] = sample[copies[j]!]!
    for (let j = useful; j < features; j++) sample[j] = random.normal()
    for (let j = 0; j < features; j++) values[i * features + places[j]!] = sample[j]!
    labels[i] = random.uniform() < flip ? random.below(2) : classes[cluster]!
  }
  return {
    name: 'madelon',
    samples,
    features,
    values,
    labels,
    classes: 2,
    classNames: ['0', '1'],
    featureNames: featureNames(settings, places),
  }

  /** Row `row` of a matrix with `informative` columns, times the first entries of a vector. */
  function combine(matrix: Float64Array, row: number, vector: Float64Array): number {
    let sum = 0
    for (let k = 0; k < informative; k++) sum += matrix[row * informative + k]! * vector[k]!
    return sum
  }
}

function featureNames({ informative, redundant, repeated, probes }: Settings, places: Uint32Array): string[] {
  const kinds = [
    ['informative', informative],
    ['redundant', redundant],
    ['repeated', repeated],
    ['probe', probes],
  ] as const
  const names = kinds.flatMap(([kind, count]) => Array.from({ length: count }, (_, i) => `${kind}${i}`))
  const placed: string[] = []
  names.forEach((name, feature) => {
    placed[places[feature]!] = name
  })
  return placed
}

/** From a study as it is written to a plan in which every default stands. */
import { z } from 'zod'
import { SCALING_METHODS } from '../data/loaded.js'
import { EspalierError } from '../errors.js'
import { type FitSettings, readFitOptions } from '../train/options.js'
import { impossible, object, oneOf, parse, real, text, whole } from '../validation.js'
import { type Measure, measureSchema } from './measures/registry.js'
import {
  hasSparse,
  isFree,
  mergeNetworks,
  type PlannedNetwork,
  planNetwork,
  studyNetworkSchema,
  withoutSparseKeys,
} from './network.js'
import { type Preparation, preparationSchema } from './preparations/registry.js'
import type { Study, StudyDataset } from './study.js'

/** A method with everything that decides its result, but for data set, sparsity and seed. */
export interface PlannedMethod {
  readonly name: string
  readonly network: PlannedNetwork
  readonly fit: FitSettings
  readonly prepare: readonly Preparation[]
  /** Whether its sparsity is the grid's to choose. */
  readonly free: boolean
}

/** A data set with what decides its samples. */
export type PlannedDataset = StudyDataset & Required<Pick<StudyDataset, 'as' | 'scaling'>>

/** A study, checked, with its defaults. */
export interface Plan {
  readonly name: string
  readonly methods: readonly PlannedMethod[]
  readonly datasets: readonly PlannedDataset[]
  readonly sparsities: readonly number[]
  readonly seeds: readonly number[]
  readonly split: 'fixed' | 'perSeed'
  readonly baseline: string
  readonly epoch: 'last' | 'best'
  readonly measures: readonly Measure[]
}

const count = whole({ from: 1 })
const seed = whole({ from: 0 })
const names = 'a name of the catalogue, the path of a file, or an object with a name'

const datasetSchema = z.preprocess(
  (value) => (typeof value === 'string' ? { name: value } : value),
  object({
    name: text(names),
    as: text('a name').optional(),
    train: count.optional(),
    test: count.optional(),
    seed: seed.optional(),
    scaling: oneOf(SCALING_METHODS).default('standard'),
    permutation: seed.optional(),
    label: z
      .union([text('a column'), seed], { error: 'the name of a column, or its index from 0' })
      .optional(),
    testFile: text('a path').optional(),
    testFraction: real({ above: 0, below: 1 }).optional(),
    task: oneOf(['classification', 'regression']).optional(),
    maxBytes: count.optional(),
  }),
)

/** Settings of a fit are checked with their network at hand, by what checks them in `fit`. */
const fitSchema = z.record(z.string(), z.unknown(), { error: 'an object' })

const methodSchema = object({
  name: text('a name'),
  network: studyNetworkSchema.default({}),
  fit: fitSchema.default({}),
  prepare: z.array(preparationSchema, { error: 'a list of preparations' }).default([]),
})

const list = <T extends z.ZodType>(item: T, what: string) => {
  const allowed = `a list of one or more ${what}`
  return z.array(item, { error: allowed }).min(1, { error: allowed })
}

/** Most seeds of a study: the exact signed rank test takes the cube of it. */
const mostSeeds = 500
const seedsText = `how many seeds, 1 to ${mostSeeds}, or a list of as many whole numbers >= 0`

const studySchema = object(
  {
    name: text('a name').regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, {
      error: 'a name of letters, digits, blanks and . _ - that begins with a letter or digit',
    }),
    methods: list(methodSchema, 'methods'),
    datasets: list(datasetSchema, 'data sets'),
    sparsities: list(real({ from: 0, below: 1 }), 'numbers, 0 <= sparsity < 1').default([0.9]),
    seeds: z
      .union(
        [
          whole({ from: 1, to: mostSeeds }),
          z
            .array(seed, { error: seedsText })
            .min(1, { error: seedsText })
            .max(mostSeeds, { error: seedsText }),
        ],
        { error: seedsText },
      )
      .default(5),
    split: oneOf(['fixed', 'perSeed']).default('fixed'),
    network: studyNetworkSchema.default({}),
    fit: fitSchema.default({}),
    baseline: z.string({ error: 'the name of a method' }).optional(),
    epoch: oneOf(['last', 'best']).default('last'),
    measures: z.array(measureSchema, { error: 'a list of measures' }).default([]),
  },
  { sparsity: '"sparsities", a list' },
)

/**
 * Checks a study and puts every default in its place.
 *
 * @throws ERR_ESPALIER_OPTION naming the method and the option, what was given and what is allowed
 */
export function readStudy(given: Study): Plan {
  const study = parse('study', studySchema, given)
  const { name, sparsities, split, epoch, measures } = study
  const seeds = Array.isArray(study.seeds)
    ? study.seeds
    : Array.from({ length: study.seeds }, (_, index) => index + 1)
  const datasets = study.datasets.map((dataset, index): PlannedDataset => {
    if (split === 'perSeed' && dataset.seed !== undefined) {
      throw impossible(
        'study',
        `datasets[${index}].seed`,
        dataset.seed,
        'split is perSeed, which takes the seed of each run; allowed: absent',
      )
    }
    return { ...dataset, as: dataset.as ?? dataset.name } as PlannedDataset
  })
  const methods = study.methods.map((method) => planMethod(study, method))
  refuseTwins(
    'methods',
    methods.map((method) => method.name),
  )
  refuseTwins(
    'datasets',
    datasets.map((dataset) => dataset.as),
    ' (give one of them another name with "as")',
  )
  refuseTwins('sparsities', sparsities)
  refuseTwins('seeds', seeds)
  const allowed = methods.map((method) => method.name)
  const { baseline } = parse(
    'study',
    object({ baseline: z.enum(allowed as [string, ...string[]], { error: allowed.join(', ') }) }),
    { baseline: study.baseline ?? allowed[0] },
  )
  return { name, methods, datasets, sparsities, seeds, split, baseline, epoch, measures }
}

type Checked = z.output<typeof studySchema>

function planMethod(
  study: Checked,
  { name, network, fit, prepare }: z.output<typeof methodSchema>,
): PlannedMethod {
  const call = `study: method ${JSON.stringify(name)}`
  const merged = planNetwork(call, mergeNetworks(study.network, network))
  // Without its patterns, as a description has it, a saved topology is of no use.
  if (!isPlain(merged) || merged.topology?.type === 'saved') {
    throw impossible(
      call,
      'network',
      merged,
      'it holds what JSON cannot, and a study is JSON; let a preparation make it',
    )
  }
  const sparse = hasSparse(merged)
  const { rewire, ...common } = study.fit
  // What is said of all methods about connections does not concern one that has none to move.
  const settings = { ...common, ...(sparse && rewire !== undefined ? { rewire } : {}), ...fit }
  return {
    name,
    network: sparse ? merged : withoutSparseKeys(merged, network),
    fit: planFit(call, settings, sparse),
    prepare,
    free: isFree(merged),
  }
}

const elsewhere: Record<string, string> = {
  validation: 'the test part of each data set is it',
  threads: 'it belongs in the options of compare',
  signal: 'it belongs in the options of compare',
  resume: 'compare goes on where it stopped by itself',
  checkpoint: 'a study keeps no checkpoints',
  maxSteps: 'runs of a study end by epochs and earlyStopping',
  maxSeconds: 'runs of a study end by epochs and earlyStopping',
  logger: 'compare tells of its progress by onProgress',
  observe: 'compare tells of its progress by onProgress',
}

function planFit(call: string, settings: Record<string, unknown>, sparse: boolean): FitSettings {
  for (const [name, reason] of Object.entries(elsewhere)) {
    if (settings[name] !== undefined)
      throw impossible(call, `fit.${name}`, settings[name], `${reason}; allowed: absent`)
  }
  try {
    return readFitOptions(settings, null, sparse).settings
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause
    throw new EspalierError(cause.code, `${call}: ${cause.message}`, { cause })
  }
}

/** Whether a value is the same after it was written as JSON and read. */
function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain)
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'bigint' && typeof value !== 'function'
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain)
}

/** Two entries of one name could not be told apart in tables. */
function refuseTwins(option: string, values: readonly (string | number)[], advice = ''): void {
  const twin = values.findIndex((value, index) => values.indexOf(value) !== index)
  if (twin < 0) return
  throw impossible(
    'study',
    `${option}[${twin}]`,
    values[twin],
    `it stands there twice${advice}; allowed: each once`,
  )
}

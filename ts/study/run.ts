import path from 'node:path'
import { EspalierError } from '../errors.js'
import { type CompareOptions, type Comparison, compare } from '../experiment/compare.js'
import type { Study } from '../experiment/study.js'
import { findData, type Missing } from './data.js'
import type { Claim, Judgement, StudyDefinition } from './definition.js'
import { studyNamed } from './registry.js'

/** How a study of the project is carried out: as `compare` is, and which form. */
export interface StudyOptions extends CompareOptions {
  /** The form that is as near to the paper as it is known, hours instead of minutes. Default: false, the quick form. */
  full?: boolean
  /** Other seeds than those of the form: how many, or a list; runs that are done are kept. Default: those of the form. */
  seeds?: number | readonly number[]
}

/** A claim and what became of it. */
export type JudgedClaim = Omit<Claim, 'judge'> & Judgement

/** What came of a study. */
export interface StudyResult {
  readonly name: string
  readonly title: string
  readonly form: 'quick' | 'full'
  /** What a reader must know, in sentences: what stands in for what, samples, what is ours. */
  readonly notes: readonly string[]
  /** Data sets of the study that could not be had; it ran on the others. */
  readonly missing: readonly Missing[]
  /** True where none could, and generated data took their place: then the verdicts say nothing of the paper's data. */
  readonly standIn: boolean
  /** Empty where it was cancelled. */
  readonly claims: readonly JudgedClaim[]
  readonly comparison: Comparison
  /** Runs that were found done by an earlier call. */
  readonly found: number
  /** Of this call, loading included. */
  readonly seconds: number
}

/**
 * Carries out a study of the project and judges its claims. Runs are kept in the folder, `runs/<name>` or
 * `runs/<name>-quick` by default, and never done twice.
 *
 * @param name one of `studies`
 * @throws ERR_ESPALIER_NOT_FOUND for another name, ERR_ESPALIER_OFFLINE where the full form has no data set at all; what
 * `compare` throws
 */
export async function runStudy(name: string, options: StudyOptions = {}): Promise<StudyResult> {
  return carryOut(studyNamed(name), options)
}

/** The same for a study at hand. */
export async function carryOut(
  definition: StudyDefinition,
  { full = false, seeds, ...options }: StudyOptions = {},
): Promise<StudyResult> {
  const started = performance.now()
  const form = full ? 'full' : 'quick'
  const chosen = await withData(definition, form, options)
  const study: Study = { ...chosen.study, ...(seeds === undefined ? {} : { seeds }) }
  let found = 0
  const comparison = await compare(study, {
    ...options,
    folder: options.folder ?? path.join('runs', study.name),
    onProgress(progress) {
      found = progress.found
      options.onProgress?.(progress)
    },
  })
  const { name, title, claims } = definition
  return {
    name,
    title,
    form,
    notes: [...definition.notes, ...chosen.notes],
    missing: chosen.missing,
    standIn: chosen.standIn,
    claims: comparison.reason === 'cancelled' ? [] : claims.map((claim) => judge(claim, comparison)),
    comparison,
    found,
    seconds: (performance.now() - started) / 1000,
  }
}

function judge({ text, source, rule, judge }: Claim, comparison: Comparison): JudgedClaim {
  return { text, source, rule, ...judge(comparison) }
}

interface Chosen {
  readonly study: Study
  readonly notes: readonly string[]
  readonly missing: readonly Missing[]
  readonly standIn: boolean
}

/** The study on the data sets that are there; in the quick form on generated ones where none is. */
async function withData(
  definition: StudyDefinition,
  form: 'quick' | 'full',
  { dataDirectory, cacheDirectory, mirror, signal, onDownload = () => {} }: CompareOptions,
): Promise<Chosen> {
  const study = definition[form]
  const places = Object.fromEntries(
    Object.entries({ dataDirectory, cacheDirectory, mirror }).filter(([, value]) => value !== undefined),
  )
  const datasets = study.datasets.map((dataset) =>
    typeof dataset === 'string' ? { name: dataset } : dataset,
  )
  const { there, missing, notes } = await findData(datasets, places, signal, onDownload)
  if (there.length > 0) return { study: { ...study, datasets: there }, notes, missing, standIn: false }
  if (form === 'full') {
    const reasons = missing.map(({ reason }) => reason).join('; ')
    throw new EspalierError(
      'ERR_ESPALIER_OFFLINE',
      `study ${definition.name}: no data set could be had: ${reasons}`,
    )
  }
  return {
    study: { ...study, name: `${study.name}-generated`, datasets: definition.standIns },
    notes: [
      'No data set of the study could be had: generated ones take their place, and the verdicts say nothing of the paper.',
    ],
    missing,
    standIn: true,
  }
}

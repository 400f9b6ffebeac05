import type { Comparison } from '../experiment/compare.js'
import type { Study, StudyDataset } from '../experiment/study.js'
import type { Verdict } from './verdict.js'

/** What a study of this project is: a claim of a paper, the runs that test it, and how it is judged. */
export interface StudyDefinition {
  readonly name: string
  /** In one line. */
  readonly title: string
  /** What a reader must know: what stands in for what, and what is ours because a paper leaves it open. */
  readonly notes: readonly string[]
  /** The form of minutes: samples, widths, epochs and seeds are cut down. */
  readonly quick: Study
  /** The form that is as near to the paper as it is known. */
  readonly full: Study
  /** Generated data that the quick form runs on where none of its data sets can be had. It decides nothing of the claims. */
  readonly standIns: readonly StudyDataset[]
  readonly claims: readonly Claim[]
}

/** A statement that can turn out wrong. */
export interface Claim {
  /** With the numbers that are claimed. */
  readonly text: string
  /** Who says so. */
  readonly source: string
  /** When it counts as supported and when as not supported; undecided is what is left. */
  readonly rule: string
  /** Reads it off the runs; where runs failed or are missing it says so by being undecided. */
  judge(comparison: Comparison): Judgement
}

/** What a rule says of a claim. */
export interface Judgement {
  readonly verdict: Verdict
  /** The numbers that it rests on, each in a line, with their uncertainty. */
  readonly measured: readonly string[]
}

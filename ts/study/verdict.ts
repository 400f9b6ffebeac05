import { holm } from '../experiment/statistics/holm.js'

/** What became of a claim. Undecided: at this number of seeds the runs speak neither for it nor against it. */
export type Verdict = 'supported' | 'not supported' | 'undecided'

/** What the runs say of one statement; null where there is no test. */
export interface Evidence {
  /** One-sided p of what was measured, were the statement false: small speaks for it. */
  readonly holds: number | null
  /** One-sided p of what was measured, were the statement true: small speaks against it. */
  readonly fails: number | null
}

/** Of each one-sided test, so that a single verdict is the same as a 95 % interval that lies on one side of its bound. */
const level = 0.025

const below = (p: number | null | undefined): boolean => p !== null && p !== undefined && p < level

/**
 * A claim that says all of its statements at once ("every", "none"). Not supported: some statement fails, p < 0.025 after
 * Holm's correction over the statements. Supported: none does, and every statement holds, each p < 0.025, which needs no
 * correction (intersection-union test). Undecided: anything else, also without statements.
 */
export function judgeTogether(evidence: readonly Evidence[]): Verdict {
  if (holm(evidence.map(({ fails }) => fails)).some(below)) return 'not supported'
  return evidence.length > 0 && evidence.every(({ holds }) => below(holds)) ? 'supported' : 'undecided'
}

/**
 * Claims that were made side by side, each with a verdict of its own. Supported: p of holding < 0.025 after Holm's correction
 * over the claims. Not supported: not so, and p of failing < 0.025 after the same correction. Undecided: neither.
 */
export function judgeEach(evidence: readonly Evidence[]): Verdict[] {
  const holds = holm(evidence.map((one) => one.holds))
  const fails = holm(evidence.map((one) => one.fails))
  return evidence.map((_, i) =>
    below(holds[i]) ? 'supported' : below(fails[i]) ? 'not supported' : 'undecided',
  )
}

/** A claim by itself, as `judgeEach` judges it. */
export const judgeOne = (evidence: Evidence): Verdict => judgeEach([evidence])[0]!

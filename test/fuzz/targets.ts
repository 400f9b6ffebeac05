import { dataTargets } from './data.js'
import type { Target } from './target.js'
import { weightTargets } from './weights.js'

export const targets: readonly Target[] = [...weightTargets, ...dataTargets]

import type { DatasetSplit } from '../dataset.js'
import { digits } from './digits.js'
import { madelon } from './madelon.js'

/** A data set that is made, not read; with its default sizes. */
export interface GeneratorEntry {
  readonly name: string
  /** Samples, training and test part together. */
  readonly samples: number
  readonly features: number
  readonly classes: number
  /** What it follows. */
  readonly source: string
  readonly generate: (seed: number) => DatasetSplit
}

/** Data sets that need no file. */
export const GENERATORS: readonly GeneratorEntry[] = [
  {
    name: 'digits',
    samples: 12_000,
    features: 784,
    classes: 10,
    source: 'drawn from strokes, see the documentation of digits()',
    generate: (seed) => digits({ seed }),
  },
  {
    name: 'madelon',
    samples: 2600,
    features: 500,
    classes: 2,
    source: 'Guyon, Design of experiments for the NIPS 2003 variable selection benchmark',
    generate: (seed) => madelon({ seed }),
  },
]

import { oneKind } from '../../validation.js'
import type { Json } from '../preparations/preparation.js'
import { type ExplorationMeasure, exploration } from './exploration.js'
import { type FanInMeasure, fanIn } from './fan-in.js'
import { type FanInShapeMeasure, fanInShape } from './fan-in-shape.js'
import { type GradientConcentrationMeasure, gradientConcentration } from './gradient-concentration.js'
import type { MeasureContext, MeasureKind, MeasureWatch } from './measure.js'
import { type RemovedNeuronsMeasure, removedNeurons } from './removed-neurons.js'

/** What can be measured of a run. One file in this folder for each, and one entry in each list here. */
export type Measure =
  | FanInMeasure
  | FanInShapeMeasure
  | GradientConcentrationMeasure
  | ExplorationMeasure
  | RemovedNeuronsMeasure

const kinds = { fanIn, fanInShape, gradientConcentration, exploration, removedNeurons }

export const measureSchema = oneKind(
  [fanIn.schema, fanInShape.schema, gradientConcentration.schema, exploration.schema, removedNeurons.schema],
  Object.keys(kinds).join(', '),
)

const kindOf = ({ type }: Measure): MeasureKind<Measure> => kinds[type] as MeasureKind<Measure>

/** Starts to watch. */
export function watch(measure: Measure, context: MeasureContext): MeasureWatch {
  return kindOf(measure).watch(context, measure)
}

/** The number of a run that stands in tables; null where the run has none. */
export function measureSummary(measure: Measure, value: Json | undefined): number | null {
  return value === undefined ? null : kindOf(measure).summary(value)
}

export const measureTitle = (measure: Measure): string => kindOf(measure).title

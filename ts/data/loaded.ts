import type { DatasetSplit } from './dataset.js'
import { fitGlobalStandard, fitMinMax, fitStandard, type Scaling, scaleInPlace } from './scale.js'

/**
 * How a loaded data set is scaled, always fitted on its training part alone. `standard`: tables get mean 0 and
 * standard deviation 1 per feature, images one mean and deviation over all pixels (dividing by 255 first would
 * give the same values); `minmax`: every feature from 0 to 1; `none`: as in the file.
 */
export type ScalingMethod = 'standard' | 'minmax' | 'none'

export const SCALING_METHODS = ['standard', 'minmax', 'none'] as const satisfies readonly ScalingMethod[]

/** A data set ready for training. */
export interface LoadedSplit extends DatasetSplit {
  /** What both parts were scaled with; apply it to other samples before predicting. Absent with 'none'. */
  readonly scaling?: Scaling
}

/** Fits a scaling on the training part and applies it to both, in their own memory: they have just been read. */
export function scaleSplit({ train, test }: DatasetSplit, method: ScalingMethod): LoadedSplit {
  if (method === 'none') return { train, test }
  const standard = train.imageShape === undefined ? fitStandard : fitGlobalStandard
  const scaling = (method === 'minmax' ? fitMinMax : standard)(train)
  return { train: scaleInPlace(train, scaling), test: scaleInPlace(test, scaling), scaling }
}

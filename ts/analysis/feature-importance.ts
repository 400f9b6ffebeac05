import type { Dataset } from '../data/dataset.js'
import { EspalierError } from '../errors.js'
import { object, oneOf, parse } from '../validation.js'
import { anova } from './importance/anova.js'
import { classCorrelation, targetCorrelation } from './importance/correlation.js'
import { jointImportance } from './importance/joint.js'
import { classMoments } from './importance/moments.js'
import { mutualInformation } from './importance/mutual-information.js'

/** Options of `featureImportance`. */
export interface FeatureImportanceOptions {
  /**
   * Marginal measures look at one feature alone: `anova`, the F of its values by class; `mutualInformation` with the
   * class, in nats; `correlation`, the mean |Pearson r| with the classes, or with the targets of a regression. `joint`
   * looks at all together: the summed |weight| x deviation in a logistic regression (for targets a linear one).
   */
  measure: 'anova' | 'mutualInformation' | 'correlation' | 'joint'
}

const optionsSchema = object({ measure: oneOf(['anova', 'mutualInformation', 'correlation', 'joint']) })

/**
 * How much each feature of a data set says about its classes or targets: one number >= 0 for each, 0 for a feature that
 * never changes. What `spatiallyCoupled` takes as `importance`. Look at training samples only.
 *
 * @throws ERR_ESPALIER_OPTION, ERR_ESPALIER_DATA for a data set without labels (or, for `correlation` and `joint`,
 * targets)
 */
export async function featureImportance(
  dataset: Dataset,
  options: FeatureImportanceOptions,
): Promise<number[]> {
  const { measure } = parse('featureImportance', optionsSchema, options)
  const { labels, targets } = dataset
  const regression = measure === 'correlation' || measure === 'joint'
  if (labels === undefined && (targets === undefined || !regression)) {
    const needs = regression ? 'labels or targets' : 'the labels of classes'
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `featureImportance: ${measure} needs ${needs}, and ${dataset.name} has none`,
    )
  }
  if (measure === 'joint') return jointImportance(dataset)
  if (labels === undefined) return targetCorrelation(dataset, targets!)
  if (measure === 'mutualInformation') return mutualInformation(dataset, labels)
  const moments = classMoments(dataset, labels)
  return measure === 'anova' ? anova(moments) : classCorrelation(moments)
}

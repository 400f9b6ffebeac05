import { EspalierError } from '../errors.js'
import { show } from '../validation.js'
import type { Dataset } from './dataset.js'
import { sharedFloats } from './memory.js'
import { checkDataset } from './options.js'

/**
 * A new data set of some samples, in the order of `indices`; everything but the samples stays as it is.
 *
 * @param indices sample numbers, 0 .. samples - 1
 * @throws ERR_ESPALIER_OPTION for another index, ERR_ESPALIER_DATA for targets that are not samples x outputs
 */
export function selectSamples(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  checkDataset('selectSamples', dataset)
  if (!Number.isSafeInteger(indices?.length)) {
    const given = `selectSamples: indices is ${show(indices)}`
    throw new EspalierError('ERR_ESPALIER_OPTION', `${given}; allowed: an array of sample numbers`)
  }
  const { features, labels, targets } = dataset
  const outputs = targets === undefined ? 0 : outputsOf(dataset, targets)
  const count = indices.length
  const values = sharedFloats(count * features, dataset.name)
  const chosenLabels = labels && new Int32Array(count)
  const chosenTargets = targets && new Float32Array(count * outputs)
  for (let i = 0; i < count; i++) {
    const from = indices[i]!
    if (!Number.isInteger(from) || from < 0 || from >= dataset.samples) {
      throw new EspalierError('ERR_ESPALIER_OPTION', `there is no sample ${from} among ${dataset.samples}`)
    }
    values.set(dataset.values.subarray(from * features, (from + 1) * features), i * features)
    if (chosenLabels) chosenLabels[i] = labels![from]!
    if (chosenTargets) chosenTargets.set(targets!.subarray(from * outputs, (from + 1) * outputs), i * outputs)
  }
  return {
    ...dataset,
    samples: count,
    values,
    ...(chosenLabels && { labels: chosenLabels }),
    ...(chosenTargets && { targets: chosenTargets }),
  }
}

/** Columns of the targets, which their number tells where the data set does not. */
function outputsOf({ name, samples, outputs }: Dataset, targets: Float32Array): number {
  const columns = outputs ?? targets.length / Math.max(samples, 1)
  if (!Number.isInteger(columns) || columns * samples !== targets.length) {
    const shape = `${samples} samples${outputs === undefined ? '' : ` of ${outputs} outputs`}`
    throw new EspalierError('ERR_ESPALIER_DATA', `${name}: ${targets.length} targets for ${shape}`)
  }
  return columns
}

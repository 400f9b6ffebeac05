import type { Dataset } from '../data/dataset.js'
import { EspalierError } from '../errors.js'
import { type NetworkDescription, outputsOf } from '../model/description.js'
import type { NativeData } from '../native/surface.js'
import { show } from '../validation.js'

/**
 * Checks a data set against a network and hands it to the addon. Here: types, lengths, labels in range; the addon
 * itself looks for NaN and Infinity in the values, on its own thread.
 *
 * @param call how the message begins, for example `fit: train`
 * @param answers whether labels or targets are needed
 * @param allowed what may stand there
 * @throws ERR_ESPALIER_DATA naming the sample or the length that is wrong
 */
export function toNativeData(
  call: string,
  dataset: unknown,
  description: NetworkDescription,
  answers: boolean,
  allowed = 'a Dataset',
): NativeData {
  if (dataset === null || typeof dataset !== 'object' || !('features' in dataset)) {
    throw new EspalierError('ERR_ESPALIER_DATA', `${call} is ${show(dataset)}; allowed: ${allowed}`)
  }
  const data = dataset as Dataset
  const { inputs } = description
  checkCount(`${call}: samples`, data.samples)
  if (data.features !== inputs) {
    throw bad(call, `has ${show(data.features)} features a sample; the network has ${inputs} inputs`)
  }
  checkArray(`${call}: values`, data.values, Float32Array, data.samples, inputs, 'samples x features')
  const answer = answers ? readAnswers(call, data, description) : { labels: null, targets: null }
  return { samples: data.samples, features: inputs, values: data.values, ...answer }
}

/**
 * Plain values as samples without answers.
 *
 * @param values samples x inputs, row-major
 * @throws ERR_ESPALIER_DATA when that is not a whole number of samples
 */
export function toNativeRows(call: string, values: Float32Array, inputs: number): NativeData {
  if (values.length === 0 || values.length % inputs !== 0) {
    const rows = `${call}: values has length ${values.length}${detachedHint(values)}`
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${rows}; allowed: samples x ${inputs} inputs, at least one sample`,
    )
  }
  return { samples: values.length / inputs, features: inputs, values, labels: null, targets: null }
}

function readAnswers(
  call: string,
  data: Dataset,
  description: NetworkDescription,
): Pick<NativeData, 'labels' | 'targets'> {
  const outputs = outputsOf(description)
  const { loss } = description
  if (loss !== 'softmaxCrossEntropy' && data.targets !== undefined) {
    return { labels: null, targets: checkTargets(call, data, description, outputs) }
  }
  if (data.labels === undefined) {
    throw bad(
      call,
      `has no labels; loss ${loss} needs ${loss === 'softmaxCrossEntropy' ? 'them' : 'targets or labels'}`,
    )
  }
  return { labels: checkLabels(call, data.labels, data.samples, outputs === 1 ? 2 : outputs), targets: null }
}

function checkLabels(call: string, labels: Int32Array, samples: number, classes: number): Int32Array {
  checkArray(`${call}: labels`, labels, Int32Array, samples, 1, 'samples')
  const wrong = labels.findIndex((label) => label < 0 || label >= classes)
  if (wrong >= 0) throw bad(call, `sample ${wrong} has label ${labels[wrong]}; allowed: 0 to ${classes - 1}`)
  return labels
}

function checkTargets(
  call: string,
  data: Dataset,
  { loss }: NetworkDescription,
  outputs: number,
): Float32Array {
  const targets = data.targets!
  if (data.outputs !== undefined && data.outputs !== outputs) {
    throw bad(call, `has ${show(data.outputs)} targets a sample; the network has ${outputs} outputs`)
  }
  checkArray(`${call}: targets`, targets, Float32Array, data.samples, outputs, 'samples x outputs')
  const share = loss === 'binaryCrossEntropy'
  const wrong = targets.findIndex((value) => !Number.isFinite(value) || (share && (value < 0 || value > 1)))
  if (wrong >= 0) {
    const place = `sample ${Math.floor(wrong / outputs)}, output ${wrong % outputs}`
    throw bad(call, `${place} has target ${targets[wrong]}; allowed: ${share ? '0 to 1' : 'finite numbers'}`)
  }
  return targets
}

function checkCount(name: string, count: unknown): void {
  if (!Number.isSafeInteger(count) || (count as number) < 1) {
    throw new EspalierError('ERR_ESPALIER_DATA', `${name} is ${show(count)}; allowed: a whole number >= 1`)
  }
}

function checkArray(
  name: string,
  array: unknown,
  type: Float32ArrayConstructor | Int32ArrayConstructor,
  rows: number,
  columns: number,
  shape: string,
): void {
  if (!(array instanceof type)) {
    throw new EspalierError(
      'ERR_ESPALIER_DATA',
      `${name} is ${show(array)}; allowed: ${type === Int32Array ? 'an' : 'a'} ${type.name}`,
    )
  }
  if (array.length !== rows * columns) {
    const length = `${name} has length ${array.length}${detachedHint(array)}`
    throw new EspalierError('ERR_ESPALIER_DATA', `${length}; allowed: ${shape} = ${rows * columns}`)
  }
}

/** A detached buffer shows as length 0; saying so saves a search. */
function detachedHint(array: Float32Array | Int32Array): string {
  return array.length === 0 ? ' (empty, or its buffer was transferred away)' : ''
}

function bad(call: string, what: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_DATA', `${call} ${what}`)
}

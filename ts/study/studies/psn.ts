/** What the three studies of Profiled Sparse Networks share. */
import type { StudyDataset, StudyFit } from '../../experiment/study.js'
import { sgd } from '../../train/optimizer.js'
import { cosine } from '../../train/schedule.js'

export const paper = 'Tomczak, arXiv 2604.10560 (2026)'

const names = {
  'Fashion-MNIST': 'fashion-mnist',
  MNIST: 'mnist',
  'EMNIST Letters': 'emnist-letters',
  'Forest Cover': 'covtype',
}
export type PsnData = keyof typeof names
/** The four data sets of the paper. */
export const all = Object.keys(names) as readonly PsnData[]

/**
 * Data sets of the paper by their names in tables.
 *
 * @param samples so many of the training and test samples; all where absent
 */
export function data(
  which: readonly PsnData[],
  samples: { readonly train?: number; readonly test?: number } = {},
): StudyDataset[] {
  return which.map((as) => ({ name: names[as], as, ...samples }))
}

export const standIns: readonly StudyDataset[] = [
  { name: 'digits', as: 'drawn digits (generated)', train: 4000, test: 2000 },
]

export const notes: readonly string[] = [
  'EMNIST Letters stands in for EMNIST Balanced, which the paper most likely used.',
  "Widths, learning rate and schedule are ours; the paper's were not at hand. Accuracy is that of the last epoch.",
]

/** SGD with momentum and half a cosine; ours. */
export const fit = (epochs: number): StudyFit => ({
  epochs,
  batchSize: 128,
  optimizer: sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 }),
  learningRateSchedule: cosine(),
})

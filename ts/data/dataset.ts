/**
 * Samples in memory: a row-major float32 matrix and one label or target row per sample.
 *
 * Readers and generators allocate `values` on a SharedArrayBuffer: such memory can neither move nor be detached, so
 * training reads it in place. Values on an ordinary ArrayBuffer are accepted too, and are copied when a run starts.
 */
export interface Dataset {
  /** How the data set calls itself in reports. */
  readonly name: string
  /** Number of samples (rows). */
  readonly samples: number
  /** Number of features of a sample (columns). */
  readonly features: number
  /** samples x features, row-major. */
  readonly values: Float32Array
  /** Class of each sample, 0 .. classes - 1; absent for regression. */
  readonly labels?: Int32Array
  /** Number of classes; 0 for regression. */
  readonly classes: number
  /** What each class is called, in label order. */
  readonly classNames?: readonly string[]
  /** samples x outputs, row-major, for regression or multi-label tasks. */
  readonly targets?: Float32Array
  /** Columns of `targets`. Default: as many as their number tells. */
  readonly outputs?: number
  /** [height, width] where the features are the pixels of an image, row by row. */
  readonly imageShape?: readonly [number, number]
  /** Column names of a table. */
  readonly featureNames?: readonly string[]
  /** What the first feature is called in a libsvm file, whose indices count from 0 or from 1. */
  readonly firstIndex?: 0 | 1
}

/** A data set divided for training and testing. */
export interface DatasetSplit {
  readonly train: Dataset
  readonly test: Dataset
}

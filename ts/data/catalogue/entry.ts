import type { RawSamples } from '../samples.js'

/** A file of a data set. */
export interface CatalogueFile {
  readonly name: string
  /** SHA-256 in hexadecimal. Absent where nobody has published or measured one. */
  readonly sha256?: string
  /** Size in bytes. */
  readonly bytes?: number
  /** Where it is downloaded from; absent where the official address holds no such single file. */
  readonly url?: string
}

/** A set of files that make up the data set. */
export interface CatalogueVariant {
  /** How the data set calls itself when it comes from these files. */
  readonly title: string
  readonly files: readonly CatalogueFile[]
  /** Shape that the files must have; said where there is no checksum to rely on. */
  readonly shape?: { readonly samples: number; readonly features: number }
}

/** A data set of the catalogue. */
export interface CatalogueEntry {
  readonly name: string
  /** Folder below a data directory in which the files lie. */
  readonly folder: string
  /** Samples, training and test part together. */
  readonly samples: number
  readonly features: number
  readonly classes: number
  /** What the publisher states. */
  readonly licence: string
  /** Page that describes the data set. */
  readonly source: string
  /** What the files hold that their format does not say. */
  readonly image?: {
    /** [height, width] of the upright image. */
    readonly shape: readonly [number, number]
    /** True where the files store each image column by column. */
    readonly transposed: boolean
  }
  /** Best first. */
  readonly variants: readonly CatalogueVariant[]
  /** What to do where the files cannot be downloaded one by one. */
  readonly advice?: string
  /** Reads the files of a variant, in the order that it names them: the training part, and the test part if any. */
  readonly read: (paths: readonly string[], signal?: AbortSignal) => Promise<RawSamples[]>
}

import { readMatSamples } from '../readers/mat.js'
import type { CatalogueEntry } from './entry.js'

interface Row {
  /** Name of the .mat file, and of the data set unless `name` is given. */
  readonly file: string
  readonly name?: string
  readonly samples: number
  readonly features: number
  readonly classes: number
  /** [height, width] of sets of images, which MATLAB stores column by column. */
  readonly image?: readonly [number, number]
  readonly bytes: number
  readonly sha256: string
}

/** The name `madelon` belongs to the generator; the original file of the NIPS 2003 challenge is `madelon-nips`. */
const ROWS: readonly Row[] = [
  {
    file: 'ALLAML',
    samples: 72,
    features: 7129,
    classes: 2,
    bytes: 3639219,
    sha256: '068afe0fe1021932e1e7d801294c267de8aeaa9d41899acfac024e72b0d44c1e',
  },
  {
    file: 'BASEHOCK',
    samples: 1993,
    features: 4862,
    classes: 2,
    bytes: 279059,
    sha256: 'e0452e0f3c0fefdc5cb6352165e4ba4a25c3a2a7b5a5b4d44e103742d6317aa0',
  },
  {
    file: 'COIL20',
    samples: 1440,
    features: 1024,
    classes: 20,
    image: [32, 32],
    bytes: 3024549,
    sha256: '4595ebdda07f47b0eb014fcfaddc22b452f9aed9c1d9261a0d5bc336c1ee1344',
  },
  {
    file: 'Isolet',
    samples: 1560,
    features: 617,
    classes: 26,
    bytes: 3652673,
    sha256: 'ea73c69b1342a7def8199458e53a70307a83d557eceb2579863dda57c3ccd2b1',
  },
  {
    file: 'ORL',
    samples: 400,
    features: 1024,
    classes: 40,
    image: [32, 32],
    bytes: 376584,
    sha256: 'e257ec36002e48688ed7f3b9fda13f479f2fd98864fa0672d1353eda1912b189',
  },
  {
    file: 'PCMAC',
    samples: 1943,
    features: 3289,
    classes: 2,
    bytes: 191131,
    sha256: '9999dfccf97ab88f87127dd3457da436acb75cda9f0af4750e7cae5fe1a31b25',
  },
  {
    file: 'RELATHE',
    samples: 1427,
    features: 4322,
    classes: 2,
    bytes: 226918,
    sha256: '1091fe26c721aa69ddc5ce3ebcef54e03565809cae07e1769cef45ad23ab28d0',
  },
  {
    file: 'Yale',
    samples: 165,
    features: 1024,
    classes: 15,
    image: [32, 32],
    bytes: 161021,
    sha256: 'cccd29abd2c520dd5cc8ff7645b422c2bdadd59406a6b6a0239143d9d44afcf3',
  },
  {
    file: 'arcene',
    samples: 200,
    features: 10000,
    classes: 2,
    bytes: 1900005,
    sha256: '779d678207b9a8c0ba8f2f5ecdb2216d9f98bf475ab040e806797efd36331bc5',
  },
  {
    file: 'colon',
    samples: 62,
    features: 2000,
    classes: 2,
    bytes: 36319,
    sha256: 'ffcdeba03eb67cec403fa1dc9f827c22a6e2c57786bf3e01dfe1b4b3e25e0a2f',
  },
  {
    file: 'leukemia',
    samples: 72,
    features: 7070,
    classes: 2,
    bytes: 154743,
    sha256: 'eb92382fb77c968864cb0a92a2c77acde7f88ba7fe5fd5a64b98184e3a05269d',
  },
  {
    file: 'lung_discrete',
    samples: 73,
    features: 325,
    classes: 7,
    bytes: 7516,
    sha256: '93c6a65eb1f6f9f95ac897010c337254a57c57e7f8c0c9a7963a0e03de8233f4',
  },
  {
    file: 'lymphoma',
    samples: 96,
    features: 4026,
    classes: 9,
    bytes: 110185,
    sha256: 'bd834ed911d47ecf2e07625ed77617d514d89ee398fa2e7a787230f7cf5243f8',
  },
  {
    file: 'madelon',
    name: 'madelon-nips',
    samples: 2600,
    features: 500,
    classes: 2,
    bytes: 1496573,
    sha256: '7dc9c9ff8d902651948e2df7f9cb6ed38c5d91e4c4159914cecb1ddbc7def12c',
  },
  {
    file: 'orlraws10P',
    samples: 100,
    features: 10304,
    classes: 10,
    image: [112, 92],
    bytes: 951783,
    sha256: '6ffa58759c5636f4ce311d23e44ef8de9f39bbb844902154c0cc5daac71226d6',
  },
  {
    file: 'warpPIE10P',
    samples: 210,
    features: 2420,
    classes: 10,
    image: [55, 44],
    bytes: 458267,
    sha256: '0d22b0e4fe224ea7347ae266370b6eb0d724d5fd0ad7da71261a58c24e08c3c2',
  },
]

/** Small sets of the feature selection repository scikit-feature (Li et al., ACM Computing Surveys 50(6), 2017). */
export const SCIKIT_FEATURE_ENTRIES: readonly CatalogueEntry[] = ROWS.map(
  ({ file, name = file, samples, features, classes, image, bytes, sha256 }) => ({
    name,
    folder: 'scikit-feature',
    samples,
    features,
    classes,
    licence: 'none stated (the code of the repository is GPL-2.0)',
    source: 'https://jundongl.github.io/scikit-feature/datasets.html',
    ...(image && { image: { shape: image, transposed: true } }),
    variants: [
      {
        title: name,
        files: [
          {
            name: `${file}.mat`,
            sha256,
            bytes,
            url: `https://jundongl.github.io/scikit-feature/files/datasets/${file}.mat`,
          },
        ],
      },
    ],
    async read([path], signal) {
      return [await readMatSamples(path!, {}, signal)]
    },
  }),
)

import { readCsvSamples } from '../readers/csv.js'
import type { CatalogueEntry } from './entry.js'

const ROWS: readonly {
  name: string
  samples: number
  features: number
  classes: number
  bytes: number
  sha256: string
}[] = [
  {
    name: 'adult',
    samples: 48842,
    features: 14,
    classes: 2,
    bytes: 497131,
    sha256: 'fb8bc76eafa39558b6044907f23416faf99099cefb8afd06a2cf5afbdae1b506',
  },
  {
    name: 'connect_4',
    samples: 67557,
    features: 42,
    classes: 3,
    bytes: 309513,
    sha256: 'e283074e1123d23361332bd83414c172640d2596fc076d1e20e8f4a64a658137',
  },
  {
    name: 'letter',
    samples: 20000,
    features: 16,
    classes: 26,
    bytes: 213271,
    sha256: 'f8ffe4f9920dc63fb85b864cc1afffb66e45c6e302d175905fd7db04ba67b8c6',
  },
  {
    name: 'magic',
    samples: 19020,
    features: 10,
    classes: 2,
    bytes: 656465,
    sha256: 'c823ea26d676538f9194d41f290798ff2f3fe59255c340418fd9439d8fc9c07f',
  },
  {
    name: 'mfeat_fourier',
    samples: 2000,
    features: 76,
    classes: 10,
    bytes: 665200,
    sha256: '095b0201216bfc417af19ab19cd6e8b830320db94c89ee35ed37771396c627b9',
  },
  {
    name: 'mfeat_karhunen',
    samples: 2000,
    features: 64,
    classes: 10,
    bytes: 664093,
    sha256: '4cb1dc6004ea35eb25ff2ad61479b7c083d87247adbfd09afa3623133db9a7a6',
  },
  {
    name: 'pendigits',
    samples: 10992,
    features: 16,
    classes: 10,
    bytes: 200229,
    sha256: '73294fc30c2c50bf737c954d04cca3a1be69508535d3d52e2512ec88fefaad3f',
  },
  {
    name: 'segmentation',
    samples: 2310,
    features: 19,
    classes: 7,
    bytes: 111831,
    sha256: '980ba4342d2fe489793cc3431678318f8d1467fe6bf6a687eb18bfc2267a049f',
  },
  {
    name: 'shuttle',
    samples: 58000,
    features: 9,
    classes: 7,
    bytes: 473320,
    sha256: 'fb73571feabc1f0c10dc749acb28bf2d0efceeedca2115eafd79ad5b82cdcba0',
  },
  {
    name: 'spambase',
    samples: 4601,
    features: 57,
    classes: 2,
    bytes: 132367,
    sha256: '735e8d43f7ee78ac54ca17404510e95f4c8b364a721e4d9532a1b3221ed70961',
  },
  {
    name: 'splice',
    samples: 3188,
    features: 60,
    classes: 3,
    bytes: 69522,
    sha256: '30f7c126059de9f5962c41bbfbdee2926ea9432e4d620930ce6db79a43885510',
  },
  {
    name: 'waveform_40',
    samples: 5000,
    features: 40,
    classes: 3,
    bytes: 336642,
    sha256: 'b095f9d384fbac256b5870d3ca01d687e776a81457351a8a6fa56e7f1d09c4b0',
  },
]

/** Tables of the Penn Machine Learning Benchmarks (PMLB), where categories are whole numbers already. */
export const UCI_ENTRIES: readonly CatalogueEntry[] = ROWS.map(
  ({ name, samples, features, classes, bytes, sha256 }) => ({
    name,
    folder: 'uci',
    samples,
    features,
    classes,
    licence: 'MIT (PMLB); terms of the UCI repository below it',
    source: 'https://epistasislab.github.io/pmlb/',
    variants: [
      {
        title: name,
        files: [
          {
            name: `${name}.tsv.gz`,
            sha256,
            bytes,
            url: `https://github.com/EpistasisLab/pmlb/raw/master/datasets/${name}/${name}.tsv.gz`,
          },
        ],
      },
    ],
    async read([path], signal) {
      return [(await readCsvSamples(path!, { header: true, label: 'target' }, signal)).raw]
    },
  }),
)

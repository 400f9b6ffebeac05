import { readCsvSamples } from '../readers/csv.js'
import type { CatalogueEntry } from './entry.js'

/** Forest cover types. Nobody publishes a checksum of the full file, so it is checked by its shape alone. */
export const COVTYPE: CatalogueEntry = {
  name: 'covtype',
  folder: 'covtype',
  samples: 581_012,
  features: 54,
  classes: 7,
  licence: 'CC BY 4.0',
  source: 'https://archive.ics.uci.edu/dataset/31/covertype',
  variants: [
    {
      title: 'covtype',
      files: [
        {
          name: 'covtype.data.gz',
          url: 'https://archive.ics.uci.edu/ml/machine-learning-databases/covtype/covtype.data.gz',
        },
      ],
      shape: { samples: 581_012, features: 54 },
    },
    {
      title: 'covtype (16 % sample)',
      files: [
        {
          name: 'covtype.strat92962.data.gz',
          sha256: '84b2c04c5ff77c23e8f8b703c335416976925c1a042dee2f0b0a952735418623',
          bytes: 1911640,
        },
      ],
    },
  ],
  async read([path], signal) {
    return [(await readCsvSamples(path!, { header: false }, signal)).raw]
  },
}

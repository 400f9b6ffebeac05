import { readIdxSamples } from '../readers/idx.js'
import type { CatalogueEntry } from './entry.js'

async function read([train, trainLabels, test, testLabels]: readonly string[], signal?: AbortSignal) {
  return [await readIdxSamples(train!, trainLabels, signal), await readIdxSamples(test!, testLabels, signal)]
}

const FASHION_MNIST: CatalogueEntry = {
  name: 'fashion-mnist',
  folder: 'fashion-mnist',
  samples: 70_000,
  features: 784,
  classes: 10,
  licence: 'MIT',
  source: 'https://github.com/zalandoresearch/fashion-mnist',
  variants: [
    {
      title: 'fashion-mnist',
      files: [
        {
          name: 'train-images-idx3-ubyte.gz',
          sha256: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
          bytes: 26421880,
          url: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz',
        },
        {
          name: 'train-labels-idx1-ubyte.gz',
          sha256: 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
          bytes: 29515,
          url: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz',
        },
        {
          name: 't10k-images-idx3-ubyte.gz',
          sha256: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
          bytes: 4422102,
          url: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz',
        },
        {
          name: 't10k-labels-idx1-ubyte.gz',
          sha256: '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
          bytes: 5148,
          url: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz',
        },
      ],
    },
  ],
  read,
}

const MNIST: CatalogueEntry = {
  name: 'mnist',
  folder: 'mnist',
  samples: 70_000,
  features: 784,
  classes: 10,
  licence: 'none stated (LeCun and Cortes)',
  source: 'http://yann.lecun.com/exdb/mnist/',
  variants: [
    {
      title: 'mnist',
      files: [
        {
          name: 'train-images-idx3-ubyte.gz',
          sha256: '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
          bytes: 9912422,
          url: 'https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz',
        },
        {
          name: 'train-labels-idx1-ubyte.gz',
          sha256: '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
          bytes: 28881,
          url: 'https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz',
        },
        {
          name: 't10k-images-idx3-ubyte.gz',
          sha256: '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
          bytes: 1648877,
          url: 'https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz',
        },
        {
          name: 't10k-labels-idx1-ubyte.gz',
          sha256: 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
          bytes: 4542,
          url: 'https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz',
        },
      ],
    },
  ],
  read,
}

/** The official files store each image transposed; the labels run from 1 (A) to 26 (Z). */
const EMNIST_LETTERS: CatalogueEntry = {
  name: 'emnist-letters',
  folder: 'emnist-letters',
  samples: 145_600,
  features: 784,
  classes: 26,
  licence: 'derived from NIST Special Database 19',
  source: 'https://www.nist.gov/itl/products-and-services/emnist-dataset',
  image: { shape: [28, 28], transposed: true },
  variants: [
    {
      title: 'emnist-letters',
      files: [
        {
          name: 'emnist-letters-train-images-idx3-ubyte.gz',
          sha256: '6288f418a917e007bf5fddb823a2dc7a5c6a35031401b93292a539cb12bd881f',
          bytes: 30804864,
        },
        {
          name: 'emnist-letters-train-labels-idx1-ubyte.gz',
          sha256: '9759af91ea6bccdf07a6040fd085861f2ec88e37f7c3f5760f6feb57106fbe5c',
          bytes: 79283,
        },
        {
          name: 'emnist-letters-test-images-idx3-ubyte.gz',
          sha256: '50f0e93d75b99b463e9760b8345866f22587fa2c2fba472730a5ba09c693412d',
          bytes: 5039157,
        },
        {
          name: 'emnist-letters-test-labels-idx1-ubyte.gz',
          sha256: '924955c31fe7fd809b7303b5c0141282955f4b8390c74cdfd5d80435e0f4b4cb',
          bytes: 144,
        },
      ],
    },
  ],
  advice:
    'download https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip (the only official form) and unpack its ' +
    'emnist-letters-*.gz files',
  read,
}

/** Sets of images in IDX files, with a test part of their own. */
export const IMAGE_ENTRIES: readonly CatalogueEntry[] = [FASHION_MNIST, MNIST, EMNIST_LETTERS]

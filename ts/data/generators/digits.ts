import { object, parse } from '../../validation.js'
import type { Dataset, DatasetSplit } from '../dataset.js'
import { sharedFloats } from '../memory.js'
import { countOption, seedOption } from '../options.js'
import { Random } from '../random.js'
import { GLYPHS } from './glyphs.js'
import { SIDE, writeGlyph } from './pen.js'

/** Options of `digits`. */
export interface DigitsOptions {
  /** Training samples, at least 10. Default: 10000. */
  readonly train?: number
  /** Test samples, at least 10. Default: 2000. */
  readonly test?: number
  /** Same seed, same images. A safe integer >= 0. Default: 0. */
  readonly seed?: number
}

const schema = object({
  train: countOption(10).default(10_000),
  test: countOption(10).default(2000),
  seed: seedOption.default(0),
})

const CLASSES = 10
const CLASS_NAMES = GLYPHS.map((_, digit) => String(digit))

/** Streams of random numbers; an image's own stream comes after them. */
const ORDER_STREAM = 0
const FIRST_IMAGE_STREAM = 1
/** The test part's streams start so far up that no training part reaches them. */
const TEST_OFFSET = 2 ** 40

/**
 * Images of handwritten-like digits, 28 x 28 pixels from 0 (paper) to 1 (ink), that need no file: each digit is a
 * handful of pen strokes in one of three styles, bent, slanted, turned, shifted and drawn with a pen of random width
 * on noisy paper. As many images of each digit as of any other (give or take one), in random order.
 *
 * An image depends on the seed, its part and its number alone, so a longer training part begins with a shorter one.
 *
 * @returns values not scaled; `loadDataset('digits')` scales them
 * @throws ERR_ESPALIER_OPTION
 */
export function digits(options: DigitsOptions = {}): DatasetSplit {
  const { train, test, seed } = parse('digits', schema, options)
  return { train: drawPart(train, seed, 0), test: drawPart(test, seed, TEST_OFFSET) }
}

function drawPart(samples: number, seed: number, offset: number): Dataset {
  const features = SIDE * SIDE
  const values = sharedFloats(samples * features, 'digits')
  const labels = new Int32Array(samples)
  const order = new Random(seed, offset + ORDER_STREAM)
  let block = new Int32Array(CLASSES)
  for (let i = 0; i < samples; i++) {
    if (i % CLASSES === 0) block = order.shuffle(Int32Array.from({ length: CLASSES }, (_, digit) => digit))
    const digit = block[i % CLASSES]!
    const random = new Random(seed, offset + FIRST_IMAGE_STREAM + i)
    const styles = GLYPHS[digit]!
    const image = values.subarray(i * features, (i + 1) * features)
    writeGlyph(styles[random.below(styles.length)]!, random, image)
    addNoise(image, random)
    labels[i] = digit
  }
  return {
    name: 'digits',
    samples,
    features,
    values,
    labels,
    classes: CLASSES,
    classNames: CLASS_NAMES,
    imageShape: [SIDE, SIDE],
  }
}

/** Grain of a random strength: the sum of two uniform numbers, both from one draw, since there are many pixels. */
function addNoise(image: Float32Array, random: Random): void {
  const strength = random.uniform(0.02, 0.25) / 2 ** 16
  for (let i = 0; i < image.length; i++) {
    const bits = random.bits()
    const grain = (bits & 0xffff) + (bits >>> 16) - 0xffff
    image[i] = Math.min(Math.max(image[i]! + strength * grain, 0), 1)
  }
}

/** Philox 4x32-10 by its definition (Salmon et al., SC 2011), on plain numbers. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter
  let [k0 = 0, k1 = 0] = key
  for (let round = 0; round < 10; round++) {
    const a = BigInt(c0) * 0xd2511f53n
    const b = BigInt(c2) * 0xcd9e8d57n
    c0 = (Number(b >> 32n) ^ c1 ^ k0) >>> 0
    c1 = Number(b & 0xffffffffn)
    c2 = (Number(a >> 32n) ^ c3 ^ k1) >>> 0
    c3 = Number(a & 0xffffffffn)
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}

const dropoutPurpose = 4
const dropConnectPurpose = 7

/** The factor that dropout applies, as native/base/random.h keys it: seed, layer, step, feature and sample of the batch. */
export function dropoutFactor(
  rate: number,
  seed: number,
  layer: number,
  step: number,
  feature: number,
  sample: number,
): number {
  const [high = 0, low = 0] = philox([step, 0, layer, dropoutPurpose], [seed, 0])
  const bits = philox([Math.floor(sample / 4), 0, feature, dropoutPurpose], [low, high])[sample % 4]!
  return factorOf(rate, bits)
}

/** The factor that DropConnect applies to a stored weight: keyed by seed, layer, step and the weight's number. */
export function dropConnectFactor(
  rate: number,
  seed: number,
  layer: number,
  step: number,
  weight: number,
): number {
  const [high = 0, low = 0] = philox([step, 0, layer, dropConnectPurpose], [seed, 0])
  const bits = philox([Math.floor(weight / 4), 0, 0, dropConnectPurpose], [low, high])[weight % 4]!
  return factorOf(rate, bits)
}

const factorOf = (rate: number, bits: number) =>
  bits >= Math.ceil(Math.fround(rate) * 2 ** 32) ? 1 / (1 - rate) : 0

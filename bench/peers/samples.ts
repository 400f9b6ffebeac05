import type { Task } from './task.js'

/** Numbers in [0, 1) from a seed (mulberry32): the data only has to be the same for all. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Noise around a centre of each class, so that there is something to learn. */
export function samplesOf({ sizes, samples }: Pick<Task, 'sizes' | 'samples'>) {
  const random = randomFrom(7)
  const [features, classes] = [sizes[0]!, sizes.at(-1)!]
  const centres = Float32Array.from({ length: classes * features }, () => random() - 0.5)
  const labels = Int32Array.from({ length: samples }, () => Math.floor(random() * classes))
  const values = new Float32Array(samples * features)
  for (let i = 0, k = 0; i < samples; i++) {
    const centre = labels[i]! * features
    for (let j = 0; j < features; j++, k++) values[k] = 2 * random() - 1 + 0.5 * centres[centre + j]!
  }
  const order = Int32Array.from({ length: samples }, (_, i) => i)
  for (let i = samples - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  return { values, labels, order }
}

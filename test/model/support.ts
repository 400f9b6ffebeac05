import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Dataset, NetworkSnapshot } from '../../lib/index.js'

/** False, or why tests of the real addon are skipped. */
export const noAddon = existsSync(
  fileURLToPath(new URL('../../build/Release/espalier.node', import.meta.url)),
)
  ? false
  : 'the native addon is not built'

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Clouds of points around a centre for each class: a problem that a small network solves. */
export function clouds(samples: number, features: number, classes: number, seed = 1): Dataset {
  const draw = random(99)
  const centres = Array.from({ length: classes * features }, () => draw() * 2 - 1)
  const noise = random(seed)
  const values = new Float32Array(new SharedArrayBuffer(4 * samples * features))
  const labels = new Int32Array(samples)
  for (let i = 0; i < samples; i++) {
    const label = i % classes
    labels[i] = label
    for (let j = 0; j < features; j++) {
      values[i * features + j] = centres[label * features + j]! + (noise() - 0.5) * 0.8
    }
  }
  return { name: 'clouds', samples, features, values, labels, classes }
}

/** The bytes of every tensor by name, and the counters: equal exactly when two networks are equal bit for bit. */
export function bits(snapshot: NetworkSnapshot): Record<string, unknown> {
  const tensors = snapshot.tensors.map(({ name, shape, data }) => [
    name,
    `${shape.join('x')} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`,
  ])
  return { ...Object.fromEntries(tensors.sort()), counters: snapshot.counters }
}

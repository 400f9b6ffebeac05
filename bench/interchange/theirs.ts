/** Files that Python wrote, as Espalier reads them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { furthest } from './distance.js'
import type { Espalier } from './networks.js'

interface Plain {
  shape: number[]
  values: number[]
}

/** What check.py says is in its files. */
interface Written {
  arrays: Record<string, Plain>
  matrices: Record<string, Plain>
  network: { samples: number[]; probabilities: number[]; connections: number[] }
}

export type Report = (check: string, problem?: string) => void

/** Reads them all. */
export async function readTheirs(espalier: Espalier, folder: string, report: Report): Promise<void> {
  const written = JSON.parse(readFileSync(join(folder, 'python.json'), 'utf8')) as Written
  for (const name of ['python.npz', 'python_compressed.npz']) {
    const arrays = await espalier.readNpz(join(folder, name))
    const different = Object.entries(written.arrays).filter(
      ([array, plain]) => !same(arrays.get(array), plain),
    )
    const more = arrays.size === Object.keys(written.arrays).length ? '' : `${arrays.size} arrays`
    report(`Espalier reads ${name} of NumPy`, different.map(([array]) => array).join(', ') || more)
  }
  const one = await espalier.readNpy(join(folder, 'python.npy'))
  report('Espalier reads python.npy of NumPy', same(one, written.arrays.fortran!) ? '' : 'other numbers')
  for (const [name, plain] of Object.entries(written.matrices)) {
    const { shape, rowOffsets, columnIndices, values } = await espalier.readSparseNpz(join(folder, name))
    const data = new Float64Array(shape[0] * shape[1])
    for (let row = 0; row < shape[0]; row++) {
      for (let i = Number(rowOffsets[row]); i < Number(rowOffsets[row + 1]); i++) {
        data[row * shape[1] + columnIndices[i]!] = Number(values[i])
      }
    }
    report(`Espalier reads ${name} of SciPy`, same({ shape, data }, plain) ? '' : 'other numbers')
  }
  await importTheirs(espalier, folder, written.network, report)
}

async function importTheirs(
  { importNetwork }: Espalier,
  folder: string,
  expected: Written['network'],
  report: Report,
) {
  const samples = Float32Array.from(expected.samples)
  for (const [name, sparsity] of [
    ['python.safetensors', 0.8],
    ['python_masked.npz', undefined],
  ] as const) {
    const options = sparsity === undefined ? {} : { sparsity }
    using network = await importNetwork(join(folder, name), { ...options, device: 'cpu' })
    const connections = network.summary().map((layer) => layer.connections)
    const far = furthest(await network.predict(samples), expected.probabilities)
    const kept = connections.join() === expected.connections.join() ? '' : `connections ${connections}; `
    report(
      `a network of ${name} predicts what NumPy computes`,
      far < 1e-6 && kept === '' ? '' : `${kept}${far} away`,
    )
  }
}

function same(
  found: { shape: readonly number[]; data: ArrayLike<number | bigint> } | undefined,
  { shape, values }: Plain,
) {
  if (found === undefined || found.shape.join() !== shape.join() || found.data.length !== values.length)
    return false
  return values.every((value, i) => Number(found.data[i]) === value)
}

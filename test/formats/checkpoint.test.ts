import { copyFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { readSafetensors, type Tensor, writeSafetensors } from '../../lib/formats/safetensors.js'
import { adam, dense, dropout, layerNorm, Network, rigl, sparse } from '../../lib/index.js'
import { clouds, noAddon } from '../model/support.js'

const folder = t.testdir()
const good = path.join(folder, 'good.safetensors')
const bad = path.join(folder, 'bad.safetensors')

if (noAddon === false) {
  const network = new Network({
    inputs: 12,
    layers: [
      sparse(20, { activation: 'srelu' }),
      layerNorm(),
      dropout(0.1),
      sparse(18, { block: '4x4' }),
      dense(3),
    ],
    sparsity: 0.6,
  })
  await network.fit(clouds(90, 12, 3), {
    epochs: 2,
    batchSize: 30,
    optimizer: adam(),
    rewire: rigl({ every: 2 }),
  })
  await network.save(good)
}

/** The good file with its metadata and tensors changed. */
async function forge(
  change: (metadata: Record<string, string>, tensors: Map<string, Tensor>) => void,
): Promise<Promise<Network>> {
  const { tensors, metadata } = await readSafetensors(good)
  const notes = { ...metadata }
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  change(notes, byName)
  await writeSafetensors(bad, [...byName.values()], notes)
  return Network.load(bad)
}

/** Changes the JSON of one metadata entry. */
const edit = (metadata: Record<string, string>, key: string, change: (value: never) => unknown) => {
  metadata[key] = JSON.stringify(change(JSON.parse(metadata[key]!) as never))
}

type Description = { layers: Record<string, unknown>[]; inputs: number }
const network = (change: (description: Description) => unknown) => (metadata: Record<string, string>) =>
  edit(metadata, 'espalier.network', change)
const replace = (name: string, tensor: Partial<Tensor>) => (_: unknown, tensors: Map<string, Tensor>) =>
  tensors.set(name, { ...tensors.get(name)!, ...tensor })

const lies: [name: string, change: Parameters<typeof forge>[0], message: RegExp][] = [
  ['no version', (metadata) => delete metadata['espalier.version'], /not an Espalier checkpoint/],
  [
    'a version of the future',
    (metadata) => (metadata['espalier.version'] = '9'),
    /version is "9".* reads version "1"/,
  ],
  [
    'no description',
    (metadata) => delete metadata['espalier.network'],
    /metadata "espalier.network" is missing/,
  ],
  [
    'no JSON',
    (metadata) => (metadata['espalier.progress'] = '{'),
    /metadata "espalier.progress" is not JSON/,
  ],
  [
    'metadata of lists in lists',
    (metadata) => (metadata['espalier.progress'] = '['.repeat(9999) + ']'.repeat(9999)),
    /options are \[\[\[an array\]\]\]; allowed: an object/,
  ],
  ['no inputs', network(({ layers }) => ({ layers })), /"espalier.network": option "inputs" is missing/],
  ['an unknown option', network((all) => ({ ...all, width: 3 })), /unknown option "width"/],
  ['other inputs', network((all) => ({ ...all, inputs: 8 })), /layers.0/],
  [
    'half a step',
    (metadata) => edit(metadata, 'espalier.progress', (all: object) => ({ ...all, step: 0.5 })),
    /option "step" is 0.5/,
  ],
  [
    'another optimizer',
    (metadata) => edit(metadata, 'espalier.optimizer', () => null),
    /none of this network's|belongs to no/,
  ],
  [
    'settings of nothing',
    (metadata) => edit(metadata, 'espalier.training', () => ({})),
    /"espalier.training": option "epochs" is missing/,
  ],
  [
    'a wider layer',
    network((all) => ({
      ...all,
      layers: all.layers.map((layer, i) => (i === 4 ? { ...layer, outputs: 16_000_000 } : layer)),
    })),
    /tensor "layers.4.weight" has shape \[3, 18\]; the network needs \[16000000, 18\]/,
  ],
  [
    'a wide sparse layer',
    network((all) => ({
      ...all,
      layers: all.layers.map((layer, i) => (i === 0 ? { ...layer, outputs: 16_000_000 } : layer)),
    })),
    /tensor "layers.0.crow_indices" has shape \[21\]; the network needs \[16000001\]/,
  ],
  [
    'no connection',
    (_, tensors) => {
      const nothing = { shape: [0], data: new Float32Array() }
      for (const what of ['values', 'values.first_moment', 'values.second_moment'])
        replace(`layers.0.${what}`, nothing)(_, tensors)
      replace('layers.0.values.birth_step', { shape: [0], data: new Int32Array() })(_, tensors)
      replace('layers.0.col_indices', { shape: [0], data: new Int32Array() })(_, tensors)
      replace('layers.0.crow_indices', { data: new BigInt64Array(21) })(_, tensors)
    },
    /layers.0.crow_indices leaves the layer no connection/,
  ],
  ['no bias', (_, tensors) => tensors.delete('layers.0.bias'), /tensor "layers.0.bias" is missing/],
  [
    'no moment',
    (_, tensors) => tensors.delete('layers.4.weight.first_moment'),
    /layers.4.weight.first_moment/,
  ],
  [
    'one tensor more',
    (_, tensors) => tensors.set('x', { name: 'x', shape: [1], data: Float32Array.of(1) }),
    /tensor "x" belongs to no layer/,
  ],
  [
    'offsets of int32',
    replace('layers.0.crow_indices', { shape: [21], data: new Int32Array(21) }),
    /crow_indices" is not BigInt64Array/,
  ],
  [
    'offsets that fall',
    replace('layers.0.crow_indices', { data: BigInt64Array.from({ length: 21 }, (_, i) => BigInt(-i)) }),
    /layers.0/,
  ],
  [
    'columns beyond the layer',
    (_, tensors) => (tensors.get('layers.0.col_indices')!.data as Int32Array).fill(12),
    /layers.0/,
  ],
  [
    'columns before the layer',
    (_, tensors) => (tensors.get('layers.0.col_indices')!.data as Int32Array).fill(-1),
    /layers.0/,
  ],
  [
    'columns that repeat',
    (_, tensors) => (tensors.get('layers.3.col_indices')!.data as Int32Array).fill(0),
    /layers.3/,
  ],
  [
    'NaN',
    (_, tensors) => (tensors.get('layers.4.bias')!.data as Float32Array).fill(Number.NaN),
    /layers.4.bias/,
  ],
]

t.test('a checkpoint that lies is refused, by name', { skip: noAddon }, async (t) => {
  for (const [name, change, message] of lies) {
    await t.rejects(forge(change), { code: 'ERR_ESPALIER_FORMAT', message }, name)
    await t.rejects(Network.load(bad), { message: /bad\.safetensors/ }, `${name}: the file is named`)
  }
})

t.test('a safetensors file of another program is refused', { skip: noAddon }, async (t) => {
  await writeSafetensors(bad, [{ name: 'w', shape: [1], data: Float32Array.of(1) }], { format: 'pt' })
  await t.rejects(Network.load(bad), { code: 'ERR_ESPALIER_FORMAT', message: /not an Espalier checkpoint/ })
  copyFileSync(new URL(import.meta.url), bad)
  await t.rejects(Network.load(bad), { code: 'ERR_ESPALIER_FORMAT', message: /at byte 0/ })
})

t.test('an unchanged copy loads, and saves to the same bytes', { skip: noAddon }, async (t) => {
  const copy = await forge(() => {})
  await copy.save(bad)
  t.ok(readFileSync(bad).equals(readFileSync(good)))
})

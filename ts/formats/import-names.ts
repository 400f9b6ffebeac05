import { EspalierError } from '../errors.js'
import type { ImportedTensors } from './import-tensors.js'

const collator = new Intl.Collator('en', { numeric: true })

/**
 * The layers of a plain multi-layer perceptron: every `<name>.weight` of two dimensions, with `<name>.bias` where there
 * is one, in the order of their names.
 *
 * @throws ERR_ESPALIER_OPTION where the file holds anything else, which only its user can explain
 */
export function findLayers(tensors: ImportedTensors): { weight: string; bias?: string }[] {
  const names = tensors.names()
  const weights = names.filter((name) => name.endsWith('.weight') && tensors.shape(name).length === 2)
  const layers = weights.sort(collator.compare).map((weight) => {
    const bias = weight.replace(/weight$/, 'bias')
    return names.includes(bias) ? { weight, bias } : { weight }
  })
  const used = new Set(layers.flatMap((layer) => Object.values(layer)))
  const left = names.find((name) => !used.has(name))
  if (layers.length > 0 && left === undefined) return layers
  const what = left === undefined ? 'no <name>.weight of two dimensions' : `what "${left}" is cannot be told`
  throw new EspalierError(
    'ERR_ESPALIER_OPTION',
    `importNetwork: ${tensors.path}: ${what}; option "layers" names weights and biases; the file holds ${tensors.listing()}`,
  )
}

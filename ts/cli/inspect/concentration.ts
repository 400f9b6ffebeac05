import { type Dataset, gradientConcentration, type Network } from '../../index.js'

/** Where the gradients of a network gather, and over which samples that was measured. */
export interface Concentration {
  dataset: string
  samples: number
  batchSize: number
  /** By index in `layers`; layers that are not there have no hubs. */
  layers: ReadonlyMap<number, number>
}

export async function measureConcentration(
  network: Network,
  dataset: Dataset,
  { batch: batchSize, threads }: { batch: number; threads?: number },
): Promise<Concentration> {
  const gradients = await network.gradients(dataset, {
    batchSize,
    ...(threads === undefined ? {} : { threads }),
  })
  const layers = gradients.flatMap((layer) => {
    const concentration = gradientConcentration(layer)
    return concentration === null ? [] : [[layer.layer, concentration] as const]
  })
  return { dataset: dataset.name, samples: dataset.samples, batchSize, layers: new Map(layers) }
}

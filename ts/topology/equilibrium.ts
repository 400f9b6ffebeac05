import { spread } from '../analysis/fan.js'
import type { Dataset } from '../data/dataset.js'
import type { NetworkOptions } from '../model/description.js'
import { Network } from '../model/network.js'
import { layerPatterns } from '../model/pattern.js'
import { type RiglRule, rigl } from '../rewire/rigl.js'
import type { FitOptions } from '../train/options.js'
import { type ProfileTopology, profile } from './profile.js'
import type { InputPlacement, LayerDensity } from './shared.js'

/** How the short training goes: as `fit` takes it, with RigL's options and the placement of the profile. */
export interface EquilibriumOptions
  extends Pick<FitOptions, 'batchSize' | 'optimizer' | 'learningRateSchedule' | 'threads' | 'signal'> {
  /** Passes over the training samples. Default 5. */
  epochs?: number
  /** Default `rigl()`. */
  rewire?: RiglRule
  /** Of the profile. Default 'golden'. */
  placement?: InputPlacement
  /** Of the profile. Default 'uniform' where the network's topology is that, else 'erdosRenyi'. */
  density?: LayerDensity
}

/**
 * The equilibrium start of Profiled Sparse Networks (Tomczak, arXiv 2604.10560): trains a network of these options by RigL
 * for a short while, fits a lognormal to the fan-in of each sparse layer, and gives the lognormal profile with those
 * coefficients of variation, for a network to start afresh from. How the paper fits is not known. Here it is by moments:
 * the lognormal of the same mean and CV as the fan-in (in blocks, over block rows), so that sigma = sqrt(log(1 + CV^2)).
 * Its logarithm is not asked, since neurons that RigL left without a connection have none.
 *
 * The profile decides where, not how many: a network whose topology is `epsilon` needs a `sparsity` with it.
 *
 * @throws what `new Network` and `fit` throw, and the signal's reason when it stops the training
 */
export async function equilibrium(
  network: NetworkOptions,
  train: Dataset,
  options: EquilibriumOptions = {},
): Promise<ProfileTopology> {
  const { placement, density, rewire = rigl(), epochs = 5, ...fit } = options
  using trained = new Network(network)
  const { reason } = await trained.fit(train, { ...fit, epochs, rewire })
  if (reason === 'cancelled') throw fit.signal!.reason
  const cv = layerPatterns(await trained.snapshot()).flatMap((pattern) => {
    if (pattern === null) return []
    const { rowOffsets } = pattern
    const fanIn = Array.from(rowOffsets.subarray(1), (end, row) => Number(end - rowOffsets[row]!))
    return [spread(fanIn).cv]
  })
  return profile({
    family: 'lognormal',
    cv,
    ...(placement === undefined ? {} : { placement }),
    density: density ?? (network.topology?.type === 'uniform' ? 'uniform' : 'erdosRenyi'),
  })
}

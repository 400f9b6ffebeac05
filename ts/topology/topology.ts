import type { z } from 'zod'
import type { NativeDensity, NativeTopology } from '../native/surface.js'
import { oneKind } from '../validation.js'
import { type ConstantFanInTopology, constantFanInSchema } from './constant-fan-in.js'
import { type EpsilonTopology, epsilonSchema } from './epsilon.js'
import { type ErdosRenyiTopology, erdosRenyiSchema } from './erdos-renyi.js'
import { type FanInTopology, fanInSchema } from './fan-in.js'
import { type ProfileTopology, profileSchema } from './profile.js'
import { type SavedTopology, savedSchema } from './saved.js'
import type { LayerDensity } from './shared.js'
import { type SpatiallyCoupledTopology, spatiallyCoupledSchema } from './spatially-coupled.js'
import { type UniformTopology, uniformSchema } from './uniform.js'

/** Connections at positions drawn at random: only the density of a layer is decided. */
export type RandomTopology = UniformTopology | ErdosRenyiTopology | EpsilonTopology

/** Where the connections of the sparse layers are laid before training. */
export type Topology =
  | RandomTopology
  | ProfileTopology
  | FanInTopology
  | ConstantFanInTopology
  | SpatiallyCoupledTopology
  | SavedTopology

const randomKinds = [uniformSchema, erdosRenyiSchema, epsilonSchema] as const
const randomBuilders = 'uniform(), erdosRenyi(), epsilon(20)'

export const randomTopologySchema: z.ZodType<RandomTopology> = oneKind(randomKinds, randomBuilders)

export const topologySchema: z.ZodType<Topology> = oneKind(
  [
    ...randomKinds,
    profileSchema,
    fanInSchema,
    constantFanInSchema,
    spatiallyCoupledSchema,
    savedSchema,
  ] as const,
  `${randomBuilders}, profile(...), fanIn(...), constantFanIn(), spatiallyCoupled(...), savedTopology(...)`,
)

/** Whether a topology says by itself how many connections there are, so that no sparsity is asked for. */
export function decidesSparsity({ type }: Topology): boolean {
  return type === 'epsilon' || type === 'fanIn' || type === 'saved'
}

/** What the addon gets. */
export function toNativeDensity(topology: RandomTopology): NativeDensity {
  return { epsilon: 0, ...topology }
}

/** What the addon gets. @param sparseLayers how many of the layers are sparse */
export function toNativeTopology(
  topology: Exclude<Topology, SavedTopology>,
  sparseLayers: number,
): NativeTopology {
  switch (topology.type) {
    case 'profile': {
      const { type, family, cv, placement, density } = topology
      const each = typeof cv === 'number' ? new Float64Array(sparseLayers).fill(cv) : Float64Array.from(cv)
      return { type, family, placement, cv: each, density: densityNamed(density) }
    }
    case 'fanIn':
      return { ...topology, counts: topology.counts.map((counts) => Int32Array.from(counts)) }
    case 'constantFanIn':
      return { type: topology.type, density: densityNamed(topology.density) }
    case 'spatiallyCoupled': {
      const { type, blocks, window, density } = topology
      const importance = Float64Array.from(topology.importance)
      return { type, blocks, window, importance, density: densityNamed(density) }
    }
    default:
      return toNativeDensity(topology)
  }
}

const densityNamed = (type: LayerDensity): NativeDensity => ({ type, epsilon: 0 })

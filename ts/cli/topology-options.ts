/** Where connections are laid: the options of `espalier train` that say it, and the library's topologies behind them. */
import { Option } from 'commander'
import {
  constantFanIn,
  type Dataset,
  type EquilibriumOptions,
  epsilon,
  equilibrium,
  erdosRenyi,
  type FeatureImportanceOptions,
  featureImportance,
  type InputPlacement,
  type Network,
  type NetworkOptions,
  type ProfileFamily,
  profile,
  profileFanIn,
  readCheckpoint,
  savedTopology,
  spatiallyCoupled,
  type Topology,
  uniform,
} from '../index.js'
import { usage } from './console.js'
import { defaults } from './defaults.js'
import { notNegativeNumbers, positive, whole } from './option-values.js'

export interface TopologyOptions {
  topology: TopologyName
  epsilon: number
  /** One for all sparse layers, or one for each. */
  fanInCv: number[]
  placement: InputPlacement
  importance: keyof typeof measures
  coupledBlocks: number
  window: number
  topologyFrom?: string
}

/** Profile families by their name on the command line. */
const families = {
  linear: 'linear',
  power: 'power',
  exponential: 'exponential',
  logarithmic: 'logarithmic',
  logistic: 'logistic',
  gaussian: 'gaussian',
  sinusoidal: 'sinusoidal',
  quadratic: 'quadratic',
  lognormal: 'lognormal',
  'power-law': 'powerLaw',
} as const satisfies Record<string, ProfileFamily>

const measures = {
  anova: 'anova',
  'mutual-information': 'mutualInformation',
  correlation: 'correlation',
  joint: 'joint',
} as const satisfies Record<string, FeatureImportanceOptions['measure']>

type FamilyName = keyof typeof families
const familyNames = Object.keys(families) as FamilyName[]
const topologyNames = [
  'erdos-renyi',
  'uniform',
  'epsilon',
  'constant-fan-in',
  ...familyNames,
  'equilibrium',
  'spatially-coupled',
  'saved',
] as const

export type TopologyName = (typeof topologyNames)[number]

export const topologyOptions = [
  new Option(
    '--topology <name>',
    'where connections are laid at first; linear to power-law are profiles of fan-in, equilibrium trains rigl for 5 epochs and takes the lognormal profile that it comes to',
  )
    .choices(topologyNames)
    .default(defaults.topology),
  new Option('--epsilon <number>', 'density of --topology epsilon, which decides the sparsity by itself')
    .argParser(positive)
    .default(defaults.epsilon),
  new Option(
    '--fan-in-cv <numbers>',
    'coefficient of variation of a fan-in profile: one number, or one for each sparse layer',
  )
    .argParser(notNegativeNumbers)
    .default([...defaults.fanInCv], defaults.fanInCv.join(',')),
  new Option('--placement <name>', 'which inputs a neuron of a profile gets')
    .choices(['golden', 'random'])
    .default(defaults.placement),
  new Option('--importance <measure>', 'how --topology spatially-coupled ranks the inputs')
    .choices(Object.keys(measures))
    .default(defaults.importance),
  new Option('--coupled-blocks <count>', 'blocks that --topology spatially-coupled cuts layers into')
    .argParser(whole(1, 2 ** 24))
    .default(defaults.coupledBlocks),
  new Option('--window <blocks>', 'blocks of inputs that one of its blocks of neurons connects to')
    .argParser(whole(1, 2 ** 24))
    .default(defaults.window),
  new Option('--topology-from <checkpoint>', 'the network whose connections --topology saved takes'),
] as const

/** Which topologies an option has a meaning with; it is refused with the others. */
const usedBy: Record<string, readonly TopologyName[]> = {
  '--epsilon': ['epsilon'],
  '--fan-in-cv': familyNames,
  '--placement': [...familyNames, 'equilibrium'],
  '--importance': ['spatially-coupled'],
  '--coupled-blocks': ['spatially-coupled'],
  '--window': ['spatially-coupled'],
  '--topology-from': ['saved'],
}

/** Options without a meaning beside the topology, and why. */
export function topologyClashes(options: TopologyOptions): [name: string, reason: string][] {
  const { topology } = options
  const clashes = Object.entries(usedBy)
    .filter(([, names]) => !names.includes(topology))
    .map(([name, names]): [string, string] => {
      const whose = names.length > 2 ? 'a fan-in profile' : `--topology ${names[0]}`
      return [name, `belongs to ${whose}, and it is ${topology}`]
    })
  if (!followsSparsity(options)) {
    const follows = topology === 'epsilon' ? '--epsilon' : '--topology-from'
    clashes.push(['--sparsity', `has no effect with --topology ${topology}, which follows ${follows}`])
  }
  return clashes
}

/** Whether the topology asks for a sparsity. */
export function followsSparsity({ topology }: TopologyOptions): boolean {
  return topology !== 'epsilon' && topology !== 'saved'
}

/**
 * The topology that the options name.
 *
 * @param network the network that it is for
 * @param fit how `equilibrium` trains, beside its own defaults
 */
export async function layTopology(
  options: TopologyOptions,
  network: NetworkOptions,
  train: Dataset,
  fit: EquilibriumOptions,
): Promise<Topology> {
  const { topology, fanInCv, placement, coupledBlocks: blocks, window } = options
  switch (topology) {
    case 'erdos-renyi':
      return erdosRenyi()
    case 'uniform':
      return uniform()
    case 'epsilon':
      return epsilon(options.epsilon)
    case 'constant-fan-in':
      return constantFanIn()
    case 'equilibrium':
      return equilibrium(network, train, { ...fit, placement })
    case 'spatially-coupled': {
      const importance = await featureImportance(train, { measure: measures[options.importance] })
      return spatiallyCoupled({ importance, blocks, window })
    }
    case 'saved':
      if (options.topologyFrom === undefined)
        throw usage('--topology saved needs --topology-from <checkpoint>')
      return savedTopology(await readCheckpoint(options.topologyFrom))
    default:
      return profile({
        family: families[topology],
        cv: fanInCv.length === 1 ? fanInCv[0]! : fanInCv,
        placement,
      })
  }
}

/** What of a checkpoint's topology the command line can say; connections that it has no word for are `saved` ones. */
export function topologyOptionsOf(topology: Topology): Partial<TopologyOptions> {
  switch (topology.type) {
    case 'erdosRenyi':
      return { topology: 'erdos-renyi' }
    case 'uniform':
      return { topology: 'uniform' }
    case 'epsilon':
      return { topology: 'epsilon', epsilon: topology.epsilon }
    case 'constantFanIn':
      return { topology: 'constant-fan-in' }
    case 'profile': {
      const { family, cv, placement } = topology
      const name = familyNames.find((one) => families[one] === family)!
      return { topology: name, fanInCv: typeof cv === 'number' ? [cv] : [...cv], placement }
    }
    case 'spatiallyCoupled':
      return { topology: 'spatially-coupled', coupledBlocks: topology.blocks, window: topology.window }
    default:
      return { topology: 'saved' }
  }
}

/** For each layer whose fan-in could not come within 1 % of the profile's CV, how near it is. */
export async function fanInNotes(network: Network): Promise<string[]> {
  const { topology, layers } = network.description
  if (topology.type !== 'profile') return []
  const sparse = layers.flatMap(({ type }, index) => (type === 'sparse' ? [index] : []))
  const notes: string[] = []
  for (const [i, index] of sparse.entries()) {
    const { inputs, outputs, block, columnIndices } = await network.pattern(index)
    const { note } = profileFanIn({
      family: topology.family,
      cv: typeof topology.cv === 'number' ? topology.cv : topology.cv[i]!,
      inputs: Math.ceil(inputs / block[1]),
      outputs: Math.ceil(outputs / block[0]),
      connections: columnIndices.length,
    })
    if (note !== null) notes.push(`layer ${index + 1}: ${note}`)
  }
  return notes
}

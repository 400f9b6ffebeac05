/** The rules of `--rewire` by their names: what each takes where nothing else is said, and how it is made. */
import {
  cht,
  chts,
  granet,
  importancePruning,
  invertedRigl,
  mest,
  npset,
  type RewireRule,
  rigl,
  riglItop,
  set,
  setItop,
  snfs,
  snip,
  srigl,
  staticTopology,
} from '../index.js'

/** What the command line says of a rule. */
export interface RewireWords {
  every: 'epoch' | number
  /** Share of the connections that move at a rewiring, at first. */
  fraction: number
  /** Share of training after which connections stay. */
  until: number
  /** Of granet. */
  finalSparsity: number
}

interface NamedRule {
  defaults: Pick<RewireWords, 'every' | 'fraction' | 'until'>
  make: (words: RewireWords) => RewireRule
}

const moving = ({ every, fraction, until }: RewireWords) => ({ every, fraction, until })

export const rewireRules = {
  static: { defaults: { every: 'epoch', fraction: 0.3, until: 0 }, make: () => staticTopology() },
  set: { defaults: { every: 'epoch', fraction: 0.3, until: 1 }, make: (words) => set(moving(words)) },
  'set-itop': { defaults: { every: 1500, fraction: 0.5, until: 1 }, make: (words) => setItop(moving(words)) },
  npset: { defaults: { every: 'epoch', fraction: 0.3, until: 1 }, make: (words) => npset(moving(words)) },
  'importance-pruning': {
    defaults: { every: 'epoch', fraction: 0.3, until: 1 },
    make: (words) => set({ ...moving(words), neurons: importancePruning() }),
  },
  rigl: { defaults: { every: 100, fraction: 0.3, until: 0.75 }, make: (words) => rigl(moving(words)) },
  'rigl-itop': {
    defaults: { every: 4000, fraction: 0.5, until: 1 },
    make: (words) => riglItop(moving(words)),
  },
  'inverted-rigl': {
    defaults: { every: 100, fraction: 0.3, until: 0.75 },
    make: (words) => invertedRigl(moving(words)),
  },
  granet: {
    defaults: { every: 100, fraction: 0.5, until: 0.7 },
    make: (words) => granet({ ...moving(words), finalSparsity: words.finalSparsity }),
  },
  mest: { defaults: { every: 'epoch', fraction: 0.2, until: 0.75 }, make: (words) => mest(moving(words)) },
  snfs: { defaults: { every: 'epoch', fraction: 0.5, until: 1 }, make: (words) => snfs(moving(words)) },
  snip: { defaults: { every: 'epoch', fraction: 0.3, until: 0 }, make: () => snip() },
  srigl: { defaults: { every: 100, fraction: 0.3, until: 0.75 }, make: (words) => srigl(moving(words)) },
  cht: { defaults: { every: 'epoch', fraction: 0.3, until: 1 }, make: (words) => cht(moving(words)) },
  chts: { defaults: { every: 'epoch', fraction: 0.3, until: 1 }, make: (words) => chts(moving(words)) },
} as const satisfies Record<string, NamedRule>

export type RewireName = keyof typeof rewireRules
export const rewireNames = Object.keys(rewireRules) as RewireName[]

/** Whether connections move while training: else there is no `--every`, `--fraction` and `--until`. */
export function movesWhileTraining(name: RewireName): boolean {
  return name !== 'static' && name !== 'snip'
}

/** A default of every rule, for a help text. */
export function perRule(what: 'every' | 'fraction' | 'until'): string {
  const names = rewireNames.filter(movesWhileTraining)
  const values = [...new Set(names.map((name) => rewireRules[name].defaults[what]))]
  const named = values.map((value) => {
    const ofValue = names.filter((name) => rewireRules[name].defaults[what] === value)
    return `${value} for ${ofValue.join(', ')}`
  })
  return `(default: ${named.join('; ')})`
}

/** The name of a rule that a checkpoint holds; presets go by the rule that they set. */
export function nameOfRule(rule: RewireRule): RewireName {
  if (rule.type === 'set' && rule.neurons !== null)
    return rule.neurons.type === 'pruneNeurons' ? 'npset' : 'importance-pruning'
  if (rule.type === 'cht' && rule.temperature !== null) return 'chts'
  return rule.type === 'invertedRigl' ? 'inverted-rigl' : rule.type
}

/** The rules of `--rewire` by their names: what each takes where nothing else is said, and how it is made. */
import {
  granet,
  invertedRigl,
  npset,
  type RewireRule,
  rigl,
  riglItop,
  set,
  setItop,
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
} as const satisfies Record<string, NamedRule>

export type RewireName = keyof typeof rewireRules
export const rewireNames = Object.keys(rewireRules) as RewireName[]

/** A default of every rule, for a help text. */
export function perRule(what: 'every' | 'fraction' | 'until'): string {
  const names = rewireNames.filter((name) => name !== 'static')
  return `(default: ${names.map((name) => `${rewireRules[name].defaults[what]} for ${name}`).join(', ')})`
}

/** The name of a rule that a checkpoint holds; presets go by the rule that they set. */
export function nameOfRule(rule: RewireRule): RewireName {
  if (rule.type === 'set' && rule.neurons !== null) return 'npset'
  return rule.type === 'invertedRigl' ? 'inverted-rigl' : rule.type
}

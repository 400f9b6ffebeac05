import type { NativeRewire } from '../native/surface.js'
import { oneKind } from '../validation.js'
import { type ChtRule, chtSchema } from './cht.js'
import { type GranetRule, granetSchema } from './granet.js'
import { type InvertedRiglRule, invertedRiglSchema } from './inverted-rigl.js'
import { type MestRule, mestSchema } from './mest.js'
import { toNativeNeurons } from './neurons.js'
import { type RiglRule, riglSchema } from './rigl.js'
import { type SetRule, setSchema } from './set.js'
import { type SnfsRule, snfsSchema } from './snfs.js'
import { type SnipRule, snipSchema } from './snip.js'
import { type SriglRule, sriglSchema } from './srigl.js'
import { type StaticRule, staticSchema } from './static.js'

/** How connections move while training. */
export type RewireRule =
  | StaticRule
  | SetRule
  | RiglRule
  | InvertedRiglRule
  | GranetRule
  | MestRule
  | SnfsRule
  | SnipRule
  | SriglRule
  | ChtRule

export const ruleSchema = oneKind(
  [
    staticSchema,
    setSchema,
    riglSchema,
    invertedRiglSchema,
    granetSchema,
    mestSchema,
    snfsSchema,
    snipSchema,
    sriglSchema,
    chtSchema,
  ],
  'staticTopology(), set(...), rigl(...), invertedRigl(...), granet(...), mest(...), snfs(...), snip(...), srigl(...), cht(...)',
)

/** What a rule has no use for gets a harmless value. */
const harmless: Omit<NativeRewire, 'type' | 'options'> = {
  every: 0,
  until: 0,
  fraction: 0,
  fractionSchedule: 'constant',
  minimumFraction: 0,
  prune: 'magnitude',
  initialization: { type: 'zeros', deviation: 0 },
  skipUpdate: false,
  trackExploration: false,
  neurons: null,
}

/** The rule with every field that the addon knows; a rule of the host reads its own options from `options`. */
export function toNativeRewire(rule: RewireRule): NativeRewire {
  const onDevice = rule.type === 'static' || rule.type === 'set' || rule.type === 'rigl'
  const { every, fraction, fractionSchedule, minimumFraction } = { ...harmless, ...rule }
  const { until, prune, initialization, skipUpdate, trackExploration } = { ...harmless, ...rule }
  return {
    type: onDevice ? rule.type : 'host',
    options: onDevice ? null : rule,
    every: every === 'epoch' ? 0 : every,
    until,
    fraction,
    fractionSchedule,
    minimumFraction,
    prune,
    initialization,
    skipUpdate,
    trackExploration,
    neurons: onDevice && rule.neurons !== null ? toNativeNeurons(rule.neurons) : null,
  }
}

import type { NativeRewire } from '../native/surface.js'
import { oneKind } from '../validation.js'
import { type RiglRule, riglSchema } from './rigl.js'
import { type SetRule, setSchema } from './set.js'
import { type StaticRule, staticSchema } from './static.js'

/** How connections move while training. */
export type RewireRule = StaticRule | SetRule | RiglRule

export const ruleSchema = oneKind(
  [staticSchema, setSchema, riglSchema],
  'staticTopology(), set(...), rigl(...)',
)

/** The rule with every field that the addon knows; those that a rule has no use for get a harmless value. */
export function toNativeRewire(rule: RewireRule): NativeRewire {
  const zeros = { type: 'zeros', deviation: 0 } as const
  const common = { skipUpdate: false, prune: 'magnitude', initialization: zeros } as const
  if (rule.type === 'static') {
    return { ...common, type: 'static', every: 0, until: 0, fraction: 0, fractionSchedule: 'constant' }
  }
  return { ...common, ...rule, every: rule.every === 'epoch' ? 0 : rule.every }
}

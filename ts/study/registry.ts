import { EspalierError } from '../errors.js'
import type { StudyDefinition } from './definition.js'
import { blocks } from './studies/blocks.js'
import { npsetStudy } from './studies/npset.js'
import { psnGradient } from './studies/psn-gradient.js'
import { psnRigl } from './studies/psn-rigl.js'
import { psnStatic } from './studies/psn-static.js'
import { set2000 } from './studies/set-2000.js'
import { spatiallyCoupledStudy } from './studies/spatially-coupled.js'

/** The studies that ship with the project. One file in `studies/` for each, and one line here. */
export const studies: readonly StudyDefinition[] = [
  psnStatic,
  psnGradient,
  psnRigl,
  npsetStudy,
  spatiallyCoupledStudy,
  set2000,
  blocks,
]

/** @throws ERR_ESPALIER_NOT_FOUND for a name that no study has */
export function studyNamed(name: string): StudyDefinition {
  const found = studies.find((study) => study.name === name)
  if (found !== undefined) return found
  const allowed = studies.map((study) => study.name).join(', ')
  throw new EspalierError(
    'ERR_ESPALIER_NOT_FOUND',
    `there is no study ${JSON.stringify(name)}; there are ${allowed}`,
  )
}

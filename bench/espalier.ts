import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repository } from './addon.js'

/** The package's public API, as the build has left it in lib/. */
export const loadEspalier = async () =>
  (await import(pathToFileURL(join(repository, 'lib', 'index.js')).href)) as typeof import('../lib/index.js')

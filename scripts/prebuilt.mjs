/**
 * Puts the addon that was built into the folder `prebuilds`, or the one that is named, where a package has it for this
 * platform. Without the CUDA part, which is for the machine that it was built on.
 */
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(process.argv[2] ?? join(root, 'prebuilds'), `${process.platform}-${process.arch}`)
mkdirSync(folder, { recursive: true })
copyFileSync(join(root, 'build', 'Release', 'espalier.node'), join(folder, 'espalier.node'))

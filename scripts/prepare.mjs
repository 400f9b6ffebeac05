/**
 * `npm ci` and `npm install` build everything. npm runs this for `npx` in a checkout as well, the first time, and when it
 * packs: the one has no time for it, and before the other `prepack` has built.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isBuilt = ['build/Release/espalier.node', 'lib/index.js'].every((file) => existsSync(join(root, file)))

if (!isBuilt || !['exec', 'pack', 'publish'].includes(process.env.npm_command)) {
  const { status } = spawnSync('npm run build', { cwd: root, stdio: 'inherit', shell: true })
  process.exitCode = status ?? 1
}

/**
 * Checks the layout of the C++ sources with clang-format (CLANG_FORMAT names another binary), or rewrites them with
 * --write. Only the pinned major version is asked, because others lay out differently; without it the check is skipped
 * on a developer's machine and fails where CI=true.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PINNED = 14
const root = dirname(dirname(fileURLToPath(import.meta.url)))

function findClangFormat() {
  const candidates = [process.env.CLANG_FORMAT, `clang-format-${PINNED}`, 'clang-format'].filter(Boolean)
  return candidates.find((candidate) => {
    const { stdout } = spawnSync(candidate, ['--version'], { encoding: 'utf8' })
    return new RegExp(`version ${PINNED}\\.`).test(stdout ?? '')
  })
}

const clangFormat = findClangFormat()
if (clangFormat === undefined) {
  const message = `clang-format ${PINNED} is not there (Debian 12: apt-get install clang-format; or set CLANG_FORMAT)`
  if (process.env.CI === 'true') {
    console.error(message)
    process.exit(1)
  }
  console.log(`Layout of the C++ sources not checked: ${message}.`)
  process.exit(0)
}

const files = ['native', 'bench/native', 'test/native/cuda', 'cmake']
  .map((folder) => join(root, folder))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
  .filter((file) => ['.h', '.cpp', '.inl', '.cu', '.cuh'].includes(extname(file)))
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror']
const result = spawnSync(clangFormat, ['--style=file', ...mode, ...files], { cwd: root, stdio: 'inherit' })
process.exit(result.status ?? 1)

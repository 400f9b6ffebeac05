/**
 * Builds the native addon by cmake-js, after making sure that what it needs is there: a missing compiler or CMake is
 * answered by a line that says what to install, not by a stack trace.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const howToInstall = {
  linux: `On Debian and Ubuntu run "sudo apt-get install g++ make cmake", on Fedora "sudo dnf install gcc-c++ make cmake".`,
  darwin: `On macOS run "xcode-select --install" for the compiler and "brew install cmake" for CMake.`,
  win32: `On Windows build inside WSL (Ubuntu): "sudo apt-get install g++ make cmake" there.`,
}

function runs(command, args) {
  const result = spawnSync(command, args, { stdio: 'ignore' })
  return result.error === undefined && result.status === 0
}

/** The first compiler that takes a C++20 program. */
function findCompiler() {
  const directory = mkdtempSync(join(tmpdir(), 'espalier-probe-'))
  try {
    const source = join(directory, 'probe.cpp')
    writeFileSync(
      source,
      '#include <bit>\n#include <span>\nint main() { return std::bit_cast<int>(0.0f); }\n',
    )
    const candidates = [process.env.CXX, 'c++', 'g++', 'clang++'].filter(Boolean)
    return candidates.find((compiler) => runs(compiler, ['-std=c++20', '-fsyntax-only', source]))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const missing = []
const compiler = findCompiler()
if (compiler === undefined) missing.push('a C++20 compiler (GCC 11, Clang 14 or newer)')
if (!runs('cmake', ['--version'])) missing.push('CMake (3.20 or newer)')
if (process.platform !== 'win32' && !runs('make', ['--version']) && !runs('ninja', ['--version']))
  missing.push('make')
if (missing.length > 0) {
  const advice = howToInstall[process.platform] ?? howToInstall.linux
  console.error(
    `Espalier builds its native addon when it is installed, and this machine lacks ${missing.join(' and ')}. ${advice}`,
  )
  process.exit(1)
}

const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js')
const parallel = String(Math.max(2, availableParallelism()))
const result = spawnSync(
  process.execPath,
  [cmakeJs, 'build', '--parallel', parallel, ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CXX: compiler },
  },
)
process.exit(result.status ?? 1)

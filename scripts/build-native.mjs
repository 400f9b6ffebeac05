/**
 * Builds the native addon by cmake-js, after making sure that what it needs is there: a missing compiler or CMake is
 * answered by a line that says what to install, not by a stack trace. Where a CUDA Toolkit is, the CUDA part is built
 * as well, and may fail without harm unless ESPALIER_CUDA=on. Targets of CMakeLists.txt that are named are built
 * instead; options go to cmake-js.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

const parallel = String(Math.max(2, availableParallelism()))

function run(command, args) {
  return (
    spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, CXX: compiler } })
      .status ?? 1
  )
}

/** Exits with what a command exits with, if that is a failure. */
function must(status) {
  if (status !== 0) process.exit(status)
}

function build(targets) {
  const chosen = targets.length > 0 ? ['--target', ...targets] : []
  return run('cmake', ['--build', 'build', '--config', 'Release', '--parallel', parallel, ...chosen])
}

const args = process.argv.slice(2)
const targets = args.filter((arg) => !arg.startsWith('-'))
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js')
// Every time: a CUDA Toolkit may have come or gone since.
must(run(process.execPath, [cmakeJs, 'configure', ...args.filter((arg) => arg.startsWith('-'))]))

if (targets.length > 0) {
  must(build(targets))
} else {
  must(build(['espalier', 'espalier_bench']))
  const cache = readFileSync(join(root, 'build', 'CMakeCache.txt'), 'utf8')
  const cudaIsFound = /^ESPALIER_CUDA_FOUND:INTERNAL=.+$/m.test(cache)
  if (cudaIsFound && build(['espalier_cuda']) !== 0) {
    if (/^ESPALIER_CUDA:STRING=on$/m.test(cache)) process.exit(1)
    rmSync(join(root, 'build', 'Release', 'espalier_cuda.so'), { force: true })
    console.error('CUDA: CPU-only build, since the CUDA part does not compile with this toolkit (see above)')
  }
}

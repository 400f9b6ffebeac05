/**
 * Packs an archive for a GPU host that has no network and no Node, only a compiler, CMake and a CUDA Toolkit: sources,
 * the compiled library, tests and benchmarks, this machine's Node, the packages that they need, and optionally the
 * first samples of a data set. On the host:
 *   tar xf espalier-bundle.tar.xz && espalier-bundle/run results
 * Where there is no xz: python3 -c 'import tarfile; tarfile.open("espalier-bundle.tar.xz").extractall()'
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const LIMIT = 50e6

/** Beside what the library needs: what tests and the build on the host load. */
const testPackages = [
  'tap',
  'fast-check',
  'benchmark',
  'pino',
  'prom-client',
  '@opentelemetry/sdk-trace-base',
  'node-addon-api',
  'node-api-headers',
]
/** tap's compiler and its terminal reporter; the bundle's tests are compiled, and each runs by itself. */
const leftOut = ['typescript', 'tshy', '@tapjs/run', '@isaacs/ts-node-temp-fork-for-pr-2009']

const usage = `usage: scripts/bundle [--out file.tar.xz] [--data folder [--samples count]]
  --out      the archive; default: build/espalier-bundle.tar.xz
  --data     a folder with a data set in IDX files, for training on the host
  --samples  how many of its first samples to pack; default: 10000`

function fail(message) {
  console.error(message)
  process.exit(1)
}

/** Runs a program in the package's folder, and gives what it prints. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1e9, ...options })
  if (result.status !== 0) {
    fail(
      `${command} ${args.join(' ')}: ${result.error?.message ?? `${result.stdout ?? ''}${result.stderr ?? ''}`}`,
    )
  }
  return result.stdout
}

/** The folder of every package that those named need, themselves included, relative to the root. */
function packageFolders(names) {
  const folders = new Set()
  const visit = (name, from, needed) => {
    if (leftOut.includes(name)) return
    // As Node looks for it: in the folder of the package that asks, then upwards.
    for (let folder = from; ; folder = dirname(folder)) {
      const candidate = join(folder, 'node_modules', name)
      if (existsSync(join(root, candidate, 'package.json'))) {
        if (folders.has(candidate)) return
        folders.add(candidate)
        const text = readFileSync(join(root, candidate, 'package.json'), 'utf8')
        const { dependencies = {}, peerDependencies = {} } = JSON.parse(text)
        for (const dependency of Object.keys(dependencies)) visit(dependency, candidate, true)
        // npm installs what a package wants beside it, unless that is optional.
        for (const peer of Object.keys(peerDependencies)) visit(peer, candidate, false)
        return
      }
      if (folder === '.') {
        if (needed) fail(`package ${name} is not installed; run npm ci`)
        return
      }
    }
  }
  for (const name of names) visit(name, '.', true)
  return folders
}

/** Copies a package without the packages inside it, and without what only people and compilers read. */
function copyPackage(folder, to) {
  cpSync(join(root, folder), join(to, folder), {
    recursive: true,
    dereference: true,
    filter: (path) =>
      !path.slice(join(root, folder).length).includes('node_modules') &&
      !/\.(map|[cm]?ts|tsbuildinfo)$/.test(path) &&
      !/^(readme|changelog|history)\b/i.test(basename(path)),
  })
}

/** Takes the first samples of an IDX file (magic number, sizes, values, all big-endian), packed or not. */
function cutIdx(file, samples) {
  const packed = file.endsWith('.gz')
  const bytes = packed ? gunzipSync(readFileSync(file)) : readFileSync(file)
  const dimensions = bytes[3]
  if (bytes.readUInt16BE(0) !== 0 || dimensions < 1) fail(`${file} is not an IDX file`)
  const header = 4 + 4 * dimensions
  const count = bytes.readUInt32BE(4)
  const sample = (bytes.length - header) / count
  const kept = Math.min(samples, count)
  const cut = Buffer.from(bytes.subarray(0, header + kept * sample))
  cut.writeUInt32BE(kept, 4)
  return packed ? gzipSync(cut, { level: 9 }) : cut
}

function copyData(from, samples, to) {
  const files = readdirSync(from).filter((name) => /idx\d-ubyte/.test(name))
  if (files.length === 0) fail(`${from} has no IDX files (names such as train-images-idx3-ubyte.gz)`)
  mkdirSync(join(to, 'data'))
  for (const name of files) writeFileSync(join(to, 'data', name), cutIdx(join(from, name), samples))
  for (const name of readdirSync(from).filter((name) => /^licen[cs]e/i.test(name)))
    copyFileSync(join(from, name), join(to, 'data', name))
}

function copySources(to) {
  const files = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']).split('\0')
  for (const file of files.filter((file) => file !== '' && existsSync(join(root, file)))) {
    if (lstatSync(join(root, file)).isFile()) cpSync(join(root, file), join(to, file))
  }
}

function compile(to) {
  const tsc = (...args) => run('npx', ['tsc', ...args])
  // The tests' types come from the library that lies here.
  tsc('-p', 'tsconfig.json')
  cpSync(join(root, 'lib'), join(to, 'lib'), { recursive: true })
  // Beside their sources, so that what they name by a relative path is there.
  tsc('-p', 'test/tsconfig.json', '--noEmit', 'false', '--rootDir', '.', '--outDir', to)
  tsc('-p', 'bench/tsconfig.json', '--outDir', join(to, 'build', 'bench'))
}

function copyNode(to) {
  const node = join(to, 'tools', 'node')
  mkdirSync(dirname(node))
  copyFileSync(process.execPath, node)
  chmodSync(node, 0o755)
  run('strip', [node])
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

let options
try {
  options = parseArgs({
    options: {
      out: { type: 'string', default: join(root, 'build', 'espalier-bundle.tar.xz') },
      data: { type: 'string' },
      samples: { type: 'string', default: '10000' },
    },
  }).values
} catch (error) {
  fail(`${error.message}\n${usage}`)
}
const samples = Number(options.samples)
if (!(Number.isInteger(samples) && samples > 0)) fail(`--samples must be a whole number above 0\n${usage}`)
if (process.platform !== 'linux')
  fail("the bundle takes this machine's Node along, which must be one for Linux")

const out = resolve(options.out)
const scratch = mkdtempSync(join(tmpdir(), 'espalier-bundle-'))
try {
  const to = join(scratch, 'espalier-bundle')
  mkdirSync(to)
  copySources(to)
  compile(to)
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const folder of packageFolders([...Object.keys(dependencies), ...testPackages]))
    copyPackage(folder, to)
  copyNode(to)
  if (options.data !== undefined) copyData(resolve(options.data), samples, to)
  copyFileSync(join(root, 'scripts', 'bundle-run.sh'), join(to, 'run'))
  chmodSync(join(to, 'run'), 0o755)

  mkdirSync(dirname(out), { recursive: true })
  console.log('packing, which takes a minute')
  run('tar', ['-C', scratch, '-cJf', out, 'espalier-bundle'], { env: { ...process.env, XZ_OPT: '-9 -T0' } })
  const size = statSync(out).size
  console.log(`${out}: ${megabytes(size)}`)
  if (size > LIMIT) fail(`that is more than ${megabytes(LIMIT)}: take fewer --samples`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

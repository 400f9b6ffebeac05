import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { fromNative, loadAddon, packageRoot } from '../../lib/native/loader.js'
import { system } from '../../lib/native/system.js'
import { noAddon } from './support.js'

const code = 'ERR_ESPALIER_NATIVE'

t.test('a missing addon is an error that says what to do', (t) => {
  t.throws(() => loadAddon(t.testdir({ 'CMakeLists.txt': '' })), {
    code,
    message:
      /not built for .*-.* \(looked for .*Release.*prebuilds.*\); run `npm run build`.*C\+\+20 compiler and CMake/,
  })
  t.throws(() => loadAddon(t.testdir({})), { code, message: /no sources to build it from; run `npm pack`/ })
  t.end()
})

t.test('a package carries the addon where it is looked for', { skip: noAddon }, (t) => {
  const root = t.testdir()
  execFileSync(process.execPath, ['scripts/prebuilt.mjs', path.join(root, 'prebuilds')], { cwd: packageRoot })
  t.type(loadAddon(root).Network, 'function')
  const { files, scripts, gypfile } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8'))
  t.ok(files.includes('prebuilds') && !files.includes('binding.gyp'))
  t.equal(gypfile, false)
  for (const name of ['preinstall', 'install', 'postinstall'])
    t.notOk(name in scripts, 'nothing runs at installation')
  t.end()
})

t.test('an addon that does not load is an error that says why', (t) => {
  const root = t.testdir()
  const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'espalier.node'), 'not a library')
  t.throws(() => loadAddon(root), {
    code,
    message: /prebuilds.*espalier\.node does not load on .*npm pack/,
  })
  t.end()
})

t.test('npx in a checkout does not build what is built', { skip: noAddon }, (t) => {
  // In place of npm.
  const folder = t.testdir()
  writeFileSync(path.join(folder, 'npm'), '#!/bin/sh\nexit 3\n', { mode: 0o755 })
  const prepare = (command: string) =>
    spawnSync(process.execPath, ['scripts/prepare.mjs'], {
      cwd: packageRoot,
      env: { PATH: folder, npm_command: command },
    }).status
  t.equal(prepare('exec'), 0)
  t.equal(prepare('ci'), 3, 'installing does')
  t.end()
})

t.test('errors of the addon keep their code; others are defects of Espalier', (t) => {
  const known = Object.assign(new Error('too large'), { code: 'ERR_ESPALIER_MEMORY' })
  t.match(fromNative(known), {
    name: 'EspalierError',
    code: 'ERR_ESPALIER_MEMORY',
    message: 'too large',
    cause: known,
  })
  t.match(fromNative(new TypeError('what')), { code: 'ERR_ESPALIER_INTERNAL', message: 'what' })
  t.match(fromNative(null), { code: 'ERR_ESPALIER_INTERNAL', message: 'null' })
  t.end()
})

t.test('the system describes itself', { skip: noAddon }, (t) => {
  const found = system()
  t.ok(found.instructionSets.includes(found.instructionSet))
  t.ok(found.threads >= 1)
  t.match(found, { version: /^\d+\.\d+\.\d+/, node: process.version, compiler: /./ })
  t.end()
})

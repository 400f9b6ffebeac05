/** `npm run check:interchange`: the files that Espalier shares with Python and with ONNX Runtime, checked by these. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './addon.js'
import { loadEspalier } from './espalier.js'
import { checkModels } from './interchange/onnx.js'
import { writeOurs } from './interchange/ours.js'
import { readTheirs } from './interchange/theirs.js'
import { install, type Packages, peersFolder, type Runtime } from './peers/install.js'
import { run } from './peers/process.js'

const python: Packages = {
  from: 'PyPI',
  folder: 'interchange',
  names: ['numpy==2.3.4', 'scipy==1.16.3', 'safetensors==0.8.0', 'tensorboard==2.21.0', 'onnx==1.23.2'],
}
const onnxRuntime: Packages = { from: 'npm', folder: 'onnxruntime', names: ['onnxruntime-node@1.30.0'] }

let failures = 0
const report = (check: string, problem = '') => {
  console.log(problem === '' ? `ok       ${check}` : `NOT OK   ${check}: ${problem}`)
  if (problem !== '') failures++
}

/** Null, with a message, where the packages cannot be installed. */
async function available(packages: Packages): Promise<Runtime | null> {
  return install(packages).catch((error: Error) => {
    console.log(`skipped  ${packages.names.join(', ')}: ${error.message}`)
    return null
  })
}

const espalier = await loadEspalier()
const folder = join(peersFolder, 'interchange-files')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'espalier.json'), JSON.stringify(await writeOurs(espalier, folder)))

const checker = await available(python)
if (checker !== null) {
  const script = join(repository, 'bench', 'interchange', 'check.py')
  const output = await run(checker.program, [script, folder], repository, { PYTHONDONTWRITEBYTECODE: '1' })
  for (const line of output.trim().split('\n')) {
    const { check, problem } = JSON.parse(line) as { check: string; problem: string }
    report(check, problem)
  }
  await readTheirs(espalier, folder, report)
}
const runtime = await available(onnxRuntime)
if (runtime !== null) await checkModels(espalier, folder, runtime.folder, report)
if (failures > 0) process.exitCode = 1

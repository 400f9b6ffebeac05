import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** The tests of the CUDA part are a program of their own, test/native/cuda; this runs it. */
const release = fileURLToPath(new URL('../../build/Release/', import.meta.url))
const emulated = `${release}espalier_cuda_test_emulated`
const real = `${release}espalier_cuda_test`

function run(
  program: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

// Threads of a block come in another order with each seed.
for (const seed of ['1', '2']) {
  t.test(
    `the CUDA sources, emulated on the processor, seed ${seed}`,
    { skip: existsSync(emulated) ? false : 'not built; `npm test` builds it on Linux' },
    async (t) => {
      const { code, output } = await run(emulated, { ESPALIER_EMULATION_SEED: seed })
      t.equal(code, 0, 'ends well', { output: output.split('\n').slice(-40) })
    },
  )
}

/** The program's way to say that it has nothing to run on. */
const NO_GPU = 77

t.test(
  'no GPU is nothing to run on, a GPU that does not open is a failure',
  { skip: existsSync(emulated) ? false : 'not built; `npm test` builds it on Linux' },
  async (t) => {
    const absent = await run(emulated, { ESPALIER_EMULATION_FAIL: 'no-device' })
    t.equal(absent.code, NO_GPU)
    const old = await run(emulated, { ESPALIER_EMULATION_FAIL: 'old-driver' })
    t.equal(old.code, 1)
    t.match(old.output, /does not open: .*driver/)
  },
)

t.test(
  'the CUDA sources on the GPU',
  { skip: existsSync(real) ? false : 'not built; `npm run build:native -- espalier_cuda_test` builds it' },
  async (t) => {
    const { code, output } = await run(real)
    if (code === NO_GPU) t.pass('ends well', { skip: output.trim() })
    else t.equal(code, 0, 'ends well', { output: output.split('\n').slice(-40) })
  },
)

/** What the command line refuses, and how; none of it needs the addon. */
import t from 'tap'
import { espalier } from './process.js'

t.test('help and version', async (t) => {
  const help = await espalier(t.testdir(), ['--help'])
  t.equal(help.code, 0)
  for (const command of ['train', 'evaluate', 'predict', 'inspect', 'compare', 'study', 'data', 'doctor'])
    t.match(help.stdout, command)
  const version = await espalier(t.testdir(), ['--version'])
  t.equal(version.code, 0)
  t.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
})

t.test('no command is wrong use, and shows help', async (t) => {
  const { code, stdout, stderr } = await espalier(t.testdir(), [])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, 'Usage: espalier')
})

for (const [args, message] of [
  [['trian'], /unknown command 'trian'.*train/],
  [['train', '--sparsty', '0.9'], /unknown option '--sparsty'.*--sparsity/],
  [['train', 'digits', 'more'], /too many arguments/],
  [['train', '--sparsity', '1'], /--sparsity.*'1'.*0 <= number < 1/],
  [['train', '--optimizer', 'adam', '--momentum', '0.5'], /--momentum.*sgd.*adam/],
  [['evaluate'], /missing required argument 'checkpoint'/],
] satisfies [string[], RegExp][]) {
  t.test(args.join(' '), async (t) => {
    const { code, stdout, stderr } = await espalier(t.testdir(), args)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, /^espalier: [^\n]+\n$/, 'one line')
    t.match(stderr, message)
  })
}

t.test('with --json the error is an object too', async (t) => {
  const { code, stdout, stderr, json } = await espalier(t.testdir(), ['train', '--json', '--epochs', 'ten'])
  t.equal(code, 2)
  t.match(stderr, /^espalier: /)
  t.equal(stdout.split('\n').length, 2, 'one line')
  t.match(json(), { error: { code: 'ERR_ESPALIER_OPTION', message: /--epochs/ } })
})

t.test('a folder that holds a run is not overwritten', async (t) => {
  const folder = t.testdir({ out: { 'report.html': 'mine' } })
  const { code, stderr } = await espalier(folder, ['train', '--out', 'out'])
  t.equal(code, 2)
  t.match(stderr, /--out out already holds a run \(report\.html\).*--overwrite/)
})

t.test('data lists the catalogue', async (t) => {
  const folder = t.testdir()
  const list = await espalier(folder, ['data', '--json'])
  t.equal(list.code, 0)
  const { datasets } = list.json() as { datasets: { name: string }[] }
  const names = datasets.map(({ name }) => name)
  for (const name of ['digits', 'madelon', 'mnist', 'fashion-mnist', 'covtype'])
    t.ok(names.includes(name), name)
  const table = await espalier(folder, ['data'])
  t.match(table.stdout, /^name +samples +features +classes +licence +where\n/)
  t.match(table.stdout, /\ndigits .*built in/)
  t.match(table.stdout, /\nmnist .*to be downloaded/)
})

t.test('data get', async (t) => {
  const folder = t.testdir()
  const digits = await espalier(folder, ['data', 'get', 'Digits', '--json'])
  t.equal(digits.code, 0)
  t.match(digits.json(), { name: 'digits', features: 784, classes: 10, files: [] })
  const nothing = await espalier(folder, ['data', 'get', 'digitz', '--json'])
  t.equal(nothing.code, 1)
  t.match(nothing.json(), { error: { code: 'ERR_ESPALIER_NOT_FOUND', message: /digits/ } })
  const nowhere = await espalier(folder, ['data', '--data', 'nowhere'])
  t.equal(nowhere.code, 1)
  t.match(nowhere.stderr, 'nowhere is not a directory')
})

t.test('doctor', async (t) => {
  const folder = t.testdir()
  const { code, json } = await espalier(folder, ['doctor', '--json'])
  const diagnosis = json()
  t.match(diagnosis, { node: process.version, threads: Number })
  const { gpu } = diagnosis as { gpu: { usable: boolean; reason: string; card: string } | { error: string } }
  const expected =
    'error' in gpu ? /\ngpu +unknown/ : gpu.usable ? `${gpu.card}, ` : `not used: ${gpu.reason}\n`
  t.equal(code, 'error' in (diagnosis.addon as object) ? 1 : 0)
  const lines = await espalier(folder, ['doctor'])
  t.match(lines.stdout, /^espalier +\d/)
  t.match(lines.stdout, /\naddon +(loads|does not load)/)
  t.match(lines.stdout, expected)
})

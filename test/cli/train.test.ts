/** `espalier train` as a process, and what can be done with what it leaves. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readRunRecord } from '../../lib/report/run-record.js'
import { readEvents } from '../support/event-file.js'
import { espalier, needsAddon, smallTable } from './process.js'

const tiny = ['--hidden', '32', '--epochs', '1', '--threads', '1']
const table = [
  'train',
  'table.csv',
  '--label',
  'kind',
  '--hidden',
  '16',
  '--sparsity',
  '0.5',
  '--threads',
  '1',
]
const model = join('run', 'model.safetensors')

t.test('the contract of --json', needsAddon, async (t) => {
  const folder = t.testdir()
  // Every option of the contract is there.
  const options =
    '--data . --hidden 32,16 --sparsity 0.8 --block 1x1 --topology erdos-renyi --rewire rigl --epochs 2 --batch 64 ' +
    '--lr 0.05 --seed 7 --threads 1 --out run --json --device cpu --precision float32 --verbose'
  const { code, stdout, json } = await espalier(folder, ['train', 'digits', ...options.split(' ')])
  t.equal(code, 0)
  t.equal(stdout.trimEnd().split('\n').length, 1, 'nothing else on standard output')
  const answer = json()
  t.match(answer, {
    reason: 'finished',
    trainLoss: Number,
    connections: Number,
    parameters: Number,
    device: 'cpu',
    card: null,
    precision: 'float32',
    plan: { device: 'cpu', products: [] },
    threads: 1,
    epochs: 2,
    seconds: Number,
    samplesPerSecond: Number,
    checkpoint: join(folder, 'run', 'model.safetensors'),
    report: join(folder, 'run', 'report.html'),
  })
  t.ok((answer.testAccuracy as number) > 0.3, `test accuracy ${answer.testAccuracy} is far above chance`)
  t.ok(Math.abs((answer.sparsity as number) - 0.8) < 0.001, `sparsity ${answer.sparsity}`)
  t.ok((answer.peakMemoryMB as number) > 20 && (answer.peakMemoryMB as number) < 4000)
  t.strictSame(readdirSync(join(folder, 'run')).sort(), ['model.safetensors', 'report.html', 'run.json'])
  const record = await readRunRecord(join(folder, 'run', 'run.json'))
  t.match(record.settings, { hidden: '32,16', sparsity: 0.8, lr: 0.05, seed: 7, batch: 64 })
  t.equal(record.history.length, 2)
  t.equal(record.layers[0]!.fanOut!.length, 784)
  const again = await espalier(folder, ['train', 'digits', ...options.split(' ')])
  t.equal(again.code, 2)
  t.match(again.json(), { error: { message: /already holds a run/ } })
})

t.test('an event file for TensorBoard', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const { code, stderr } = await espalier(folder, [
    ...table,
    '--epochs',
    '2',
    '--out',
    'run',
    '--tensorboard',
    'logs',
  ])
  t.equal(code, 0, stderr)
  const { summaries } = readEvents(join(folder, 'logs', readdirSync(join(folder, 'logs'))[0]!))
  t.equal(summaries.filter(({ tag }) => tag === 'accuracy/validation').length, 2)
  t.ok(summaries.some(({ tag }) => tag === 'layers.0/fan-in'))
  const refused = await espalier(folder, [
    ...table,
    '--epochs',
    '1',
    '--out',
    'second',
    '--tensorboard',
    'table.csv',
  ])
  t.not(refused.code, 0)
  t.match(refused.stderr, /cannot write table\.csv/)
  t.ok(existsSync(join(folder, 'second', 'run.json')), 'the run itself is kept')
})

t.test('what sparse networks are compared with', needsAddon, async (t) => {
  const folder = t.testdir()
  const common = ['--threads', '1', '--json', '--epochs']
  for (const [name, line, sparsity] of [
    ['dense', '--layers dense --drop-connect 0.2 --l1 0.00001', [0, 0]],
    ['masked', '--layers masked --sparsity 0.5', [0.49, 0.51]],
    ['sparse', '--rewire importance-pruning --sparsity 0.5', [0.55, 0.8]],
  ] as const) {
    const options = ['digits', '--hidden', '32', ...line.split(' '), '--out', name]
    const first = await espalier(folder, ['train', ...options, ...common, '2'])
    t.equal(first.code, 0, first.stderr)
    const reached = first.json().sparsity as number
    t.ok(sparsity[0] <= reached && reached <= sparsity[1], `${line}: sparsity ${reached}`)
    const resumed = ['train', '--resume', join(name, 'model.safetensors'), '--out', 'more', '--overwrite']
    const next = await espalier(folder, [...resumed, ...common, '3'])
    t.match(next.json(), { reason: 'finished', epochs: 3 })
    const record = await readRunRecord(join(folder, 'more', 'run.json'))
    t.match(record.settings, { layers: name, hidden: '32' })
  }
})

t.test('digits is the default, and people see lines', needsAddon, async (t) => {
  const folder = t.testdir()
  const { code, stdout, stderr } = await espalier(folder, ['train', ...tiny])
  t.equal(code, 0)
  t.equal(stderr, '', 'no bar where nobody watches')
  t.match(stdout, /^ *epoch +loss/)
  t.match(stdout, /\n +1\/1 +\d/)
  const [report] = /runs\/digits-[\d-]+\/report\.html/.exec(stdout) ?? ['']
  t.ok(existsSync(join(folder, report)), `the report is at ${report}`)
})

t.test('--verbose says how products are carried out, apart from the output', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const args = [...table, '--epochs', '1', '--out', 'run', '--device', 'cpu', '--verbose']
  const { code, stdout, stderr } = await espalier(folder, args)
  t.equal(code, 0)
  t.equal(stderr, 'device cpu: one way for each product\n')
  t.notMatch(stdout, /device/)
  const predicted = await espalier(folder, ['predict', model, 'table.csv', '--device', 'cpu', '--verbose'])
  t.match(predicted.stdout, /^predicted,/, 'the table stays a table')
  t.equal(predicted.stderr, stderr)
})

t.test('--quiet prints nothing but errors', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const good = await espalier(folder, [...table, '--epochs', '1', '--quiet', '--out', 'run'])
  t.strictSame([good.code, good.stdout, good.stderr], [0, '', ''])
  const bad = await espalier(folder, ['train', 'nowhere.csv', '--quiet'])
  t.equal(bad.code, 1)
  t.equal(bad.stdout, '')
  t.match(bad.stderr, /^espalier: .*nowhere\.csv[^\n]*\n$/)
})

t.test('errors of data say what to do next', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const failing: [string[], string, RegExp][] = [
    [['train', 'digitz'], 'ERR_ESPALIER_NOT_FOUND', /digits/],
    [['train', './nowhere.csv'], 'ERR_ESPALIER_NOT_FOUND', /nowhere\.csv/],
    [['train', 'table.csv', '--label', 'kidn'], 'ERR_ESPALIER_NOT_FOUND', /kind/],
    [['train', 'digits', '--label', 'kind'], 'ERR_ESPALIER_OPTION', /--label.*files/],
    [['train', 'digits', '--resume', 'none.safetensors'], 'ERR_ESPALIER_NOT_FOUND', /none\.safetensors/],
    [['inspect', 'table.csv'], 'ERR_ESPALIER_FORMAT', /table\.csv.*byte 0/],
  ]
  for (const [args, code, message] of failing) {
    const outcome = await espalier(folder, [...args, '--json'])
    t.not(outcome.code, 0, args.join(' '))
    t.match(outcome.json(), { error: { code, message } }, args.join(' '))
    t.equal(outcome.stderr.trimEnd().split('\n').length, 1, 'one line, no stack')
  }
  t.notOk(existsSync(join(folder, 'runs')), 'no run folder is left behind')
})

t.test('a signal stops the run, and what was learnt is kept', needsAddon, async (t) => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const folder = t.testdir()
    let sent = false
    const { code, stdout, json } = await espalier(
      folder,
      ['train', '--hidden', '32', '--epochs', '100000', '--out', 'run', '--json'],
      (child, printed) => {
        if (!sent && printed.includes(' 1/100000')) {
          sent = true
          child.kill(signal)
        }
      },
    )
    t.equal(code, exitCode, signal)
    t.match(json(), { reason: 'cancelled' })
    t.equal(stdout.trimEnd().split('\n').length, 1)
    t.ok((json().epochs as number) >= 1)
    t.equal((await readRunRecord(join(folder, 'run', 'run.json'))).result.reason, 'cancelled')
    t.match(readFileSync(join(folder, 'run', 'report.html'), 'utf8'), 'stopped early')
    const inspected = await espalier(folder, ['inspect', model, '--json'])
    t.equal(inspected.code, 0, 'the checkpoint loads')
    t.equal(inspected.json().steps, json().steps)
  }
})

t.test('a run that was stopped and resumed is the same as one that was not', needsAddon, async (t) => {
  const folder = t.testdir()
  const options = [
    '--hidden',
    '128',
    '--epochs',
    '12',
    '--rewire',
    'rigl',
    '--every',
    '50',
    '--threads',
    '1',
    '--device',
    'cpu',
    '--json',
  ]
  const whole = await espalier(folder, ['train', ...options, '--out', 'whole'])
  t.equal(whole.code, 0, whole.stderr)
  let sent = false
  const stopped = await espalier(folder, ['train', ...options, '--out', 'run'], (child, printed) => {
    if (!sent && printed.includes(' 1/12')) {
      sent = true
      child.kill('SIGINT')
    }
  })
  t.equal(stopped.code, 130)
  t.ok((stopped.json().steps as number) < (whole.json().steps as number), 'it was stopped half way')

  const rest = await espalier(folder, [
    'train',
    '--resume',
    model,
    '--threads',
    '1',
    '--device',
    'cpu',
    '--json',
  ])
  t.equal(rest.code, 0, rest.stderr)
  t.equal(rest.json().checkpoint, join(folder, model), 'it goes on in its own folder')
  const [a, b] = ['whole', 'run'].map((name) => readFileSync(join(folder, name, 'model.safetensors')))
  t.ok(a!.equals(b!), 'the checkpoints are the same to the byte')
  const [record, straight] = await Promise.all(
    ['run', 'whole'].map((name) => readRunRecord(join(folder, name, 'run.json'))),
  )
  t.strictSame(
    record!.history.map(({ epoch, train, validation }) => ({ epoch, train, validation })),
    straight!.history.map(({ epoch, train, validation }) => ({ epoch, train, validation })),
  )
  t.strictSame(record!.rewirings, straight!.rewirings)
  t.strictSame(record!.settings, straight!.settings)
})

t.test('what a resumed run cannot do', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  t.equal((await espalier(folder, [...table, '--epochs', '2', '--out', 'run', '--quiet'])).code, 0)
  for (const [args, message] of [
    [[], /nothing to do.*2 epochs of 2.*--epochs/],
    [['--epochs', '9', '--hidden', '8'], /--hidden/],
    [['--epochs', '9', '--lr', '1'], /--lr/],
    [['--epochs', '9', '--seed', '2'], /--seed/],
  ] satisfies [string[], RegExp][]) {
    const refused = await espalier(folder, ['train', '--resume', model, ...args])
    t.equal(refused.code, 2)
    t.match(refused.stderr, message)
  }
  const more = await espalier(folder, [
    'train',
    '--resume',
    model,
    '--epochs',
    '3',
    '--out',
    'more',
    '--json',
  ])
  t.equal(more.code, 0, 'more epochs, in another folder')
  t.equal((await readRunRecord(join(folder, 'more', 'run.json'))).history.length, 3)
  t.equal((await readRunRecord(join(folder, 'run', 'run.json'))).history.length, 2, 'the old run stays')
})

t.test('--overwrite replaces a run', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const args = [...table, '--epochs', '1', '--out', 'run', '--quiet']
  t.equal((await espalier(folder, [...args, '--name', 'first'])).code, 0)
  t.equal((await espalier(folder, [...args, '--name', 'second', '--overwrite'])).code, 0)
  t.equal((await readRunRecord(join(folder, 'run', 'run.json'))).name, 'second')
})

t.test('a trained network is evaluated, asked and inspected', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const trained = await espalier(folder, [
    ...table,
    '--epochs',
    '30',
    '--batch',
    '8',
    '--out',
    'run',
    '--json',
  ])
  t.equal(trained.code, 0, trained.stderr)

  const evaluated = await espalier(folder, ['evaluate', model, 'table.csv', '--json'])
  t.equal(evaluated.code, 0, evaluated.stderr)
  t.match(
    evaluated.json(),
    { samples: 18, accuracy: trained.json().testAccuracy },
    'the part that was held back',
  )

  // Two classes of three, in another order: the classes keep the numbers that they had in training.
  const rows = smallTable(9).trimEnd().split('\n')
  writeFileSync(join(folder, 'other.csv'), [rows[0], rows[3], rows[2], rows[6], rows[5], ''].join('\n'))
  const predicted = await espalier(folder, ['predict', model, 'other.csv'])
  t.equal(predicted.code, 0, predicted.stderr)
  const lines = predicted.stdout.trimEnd().split('\n')
  t.equal(lines[0], 'predicted,p(kind 0),p(kind 1),p(kind 2)')
  t.equal(lines.length, 5)
  const classes = lines.slice(1).map((line) => line.split(',')[0])
  for (const line of lines.slice(1)) {
    const sum = line
      .split(',')
      .slice(1)
      .map(Number)
      .reduce((total, share) => total + share, 0)
    t.ok(Math.abs(sum - 1) < 1e-5, 'probabilities sum to 1')
  }
  const right = classes.filter((name, i) => name === ['kind 2', 'kind 1', 'kind 2', 'kind 1'][i]).length
  const other = await espalier(folder, ['evaluate', model, 'other.csv', '--json'])
  t.match(other.json(), { samples: 4, accuracy: right / 4 }, 'evaluate and predict agree')

  writeFileSync(
    join(folder, 'unlabelled.csv'),
    ['left,middle,right', ...[3, 2, 6, 5].map((row) => rows[row]!.split(',').slice(0, 3).join(',')), ''].join(
      '\n',
    ),
  )
  const out = await espalier(folder, [
    'predict',
    model,
    'unlabelled.csv',
    '--no-label',
    '--out',
    'p.csv',
    '--json',
  ])
  t.equal(out.code, 0, out.stderr)
  t.match(out.json(), { samples: 4, out: 'p.csv' })
  t.equal(readFileSync(join(folder, 'p.csv'), 'utf8'), predicted.stdout)

  const inspected = await espalier(folder, ['inspect', model, '--json'])
  t.match(inspected.json(), {
    inputs: 3,
    epochs: 30,
    layers: [
      { type: 'sparse', connections: 24, fanIn: { mean: 1.5 }, fanOut: { mean: 8 }, dead: Number },
      { type: 'dense' },
    ],
    memory: { parameters: Number },
  })
  const shown = await espalier(folder, ['inspect', model])
  t.equal(shown.code, 0)
  t.match(shown.stdout, /\nlayer +kind +inputs/)
  t.match(shown.stdout, /\n(left|middle|right) +\d/, 'inputs are called as in the file')
})

t.test('files that do not fit the network are refused', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  t.equal((await espalier(folder, [...table, '--epochs', '1', '--out', 'run', '--quiet'])).code, 0)
  writeFileSync(join(folder, 'narrow.csv'), 'left,kind\n1,kind 0\n2,kind 1\n')
  writeFileSync(join(folder, 'strange.csv'), smallTable(9).replaceAll('kind 1', 'sort 1'))
  const narrow = await espalier(folder, ['evaluate', model, 'narrow.csv', '--json'])
  t.equal(narrow.code, 1)
  t.match(narrow.json(), {
    error: { code: 'ERR_ESPALIER_DATA', message: /narrow\.csv: 1 features.*trained on 3/ },
  })
  const strange = await espalier(folder, ['evaluate', model, 'strange.csv', '--json'])
  t.equal(strange.code, 1)
  t.match(strange.json(), {
    error: { code: 'ERR_ESPALIER_DATA', message: /"sort 1" was not in the training data/ },
  })
})

t.test('runs of the same name and second get folders of their own', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  mkdirSync(join(folder, 'runs', 'mine'), { recursive: true })
  const { json } = await espalier(folder, [...table, '--epochs', '1', '--json', '--name', 'mine'])
  t.equal(json().checkpoint, join(folder, 'runs', 'mine-2', 'model.safetensors'))
})

t.test('--max-seconds ends a run, and --resume goes on', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const first = await espalier(folder, [
    ...table,
    '--epochs',
    '1000000',
    '--max-seconds',
    '0.3',
    '--out',
    'run',
    '--json',
  ])
  t.equal(first.code, 0, first.stderr)
  t.match(first.json(), { reason: 'maxSeconds' })
  const steps = Number(first.json().epochs)
  const again = await espalier(folder, ['train', '--resume', model, '--epochs', String(steps + 2), '--json'])
  t.equal(again.code, 0, again.stderr)
  t.match(again.json(), { reason: 'finished', epochs: steps + 2 })
})

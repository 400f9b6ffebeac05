import { Command } from 'commander'
import t from 'tap'
import {
  addTrainOptions,
  checkTogether,
  commandLine,
  givenOptions,
  settingsOf,
  settle,
  type TrainOptions,
} from '../../lib/cli/train-options.js'

/** Reads options as `espalier train` does. */
function read(line: string): TrainOptions {
  const command = addTrainOptions(new Command().exitOverride().configureOutput({ outputError: () => {} }))
  command.parse(line === '' ? [] : line.split(' '), { from: 'user' })
  const options = command.opts<TrainOptions>()
  checkTogether(command, options)
  return options
}

for (const [line, message] of [
  ['--sparsity 1', /--sparsity.*'1'.*0 <= number < 1/],
  ['--sparsity=-0.1', /--sparsity/],
  ['--sparsity much', /--sparsity.*'much'/],
  ['--sparsity 0x0', /--sparsity/],
  ['--sparsity=', /--sparsity/],
  ['--hidden 10,,10', /--hidden.*'10,,10'.*1 to 16777216/],
  ['--hidden 0', /--hidden/],
  ['--hidden 16777217', /--hidden/],
  ['--block 4by4', /--block.*'4by4'.*4x1/],
  ['--block 65x1', /--block/],
  ['--block 0x1', /--block/],
  ['--topology random', /--topology.*'random'.*erdos-renyi, uniform, epsilon/],
  ['--rewire riggle', /--rewire.*static, set, .*rigl, .*granet/],
  ['--epochs 0', /--epochs.*'0'/],
  ['--epochs 2.5', /--epochs.*whole number/],
  ['--batch=-1', /--batch/],
  ['--lr 0', /--lr.*> 0/],
  ['--lr Infinity', /--lr/],
  ['--lr 1e999', /--lr/],
  ['--seed 9007199254740993', /--seed/],
  ['--threads 257', /--threads.*1 to 256/],
  ['--device gpu', /--device.*'gpu'.*auto, cpu, cuda/],
  ['--precision half', /--precision.*float32, tf32, bfloat16/],
  ['--every 0', /--every.*epoch/],
  ['--fraction 0', /--fraction/],
  ['--until 1.1', /--until/],
  ['--dropout 1', /--dropout/],
  ['--weight-decay=-1', /--weight-decay/],
  ['--optimizer adam --momentum 0.5', /--momentum.*sgd.*adam/],
  ['--epsilon 5', /--epsilon.*--topology epsilon/],
  ['--fan-in-cv 1.2', /--fan-in-cv' belongs to a fan-in profile, and it is erdos-renyi/],
  ['--topology lognormal --fan-in-cv=-1', /--fan-in-cv.*numbers >= 0/],
  [
    '--topology lognormal --window 3',
    /--window' belongs to --topology spatially-coupled, and it is lognormal/,
  ],
  ['--topology uniform --placement random', /--placement' belongs to a fan-in profile/],
  ['--topology saved --sparsity 0.5', /--sparsity' has no effect with --topology saved.*--topology-from/],
  ['--topology-from x', /--topology-from' belongs to --topology saved/],
  ['--topology spatially-coupled --importance luck', /--importance.*anova, mutual-information/],
  ['--topology epsilon --sparsity 0.5', /--sparsity.*--epsilon/],
  ['--rewire static --until 0.5', /--until.*--rewire static/],
  ['--rewire snip --every 5', /--every.*--rewire snip/],
  ['--final-sparsity 0.5', /--final-sparsity.*--rewire granet.*rigl/],
  ['--layers thick', /--layers.*sparse, masked, dense/],
  ['--layers dense --sparsity 0.8', /--sparsity' has no effect with --layers dense/],
  ['--layers dense --topology uniform', /--topology' has no effect with --layers dense/],
  ['--layers dense --rewire set', /--rewire' has no effect with --layers dense/],
  ['--drop-connect 1', /--drop-connect/],
  ['--l1=-1', /--l1/],
  ['--resume x --block 4x4', /--block.*--resume/],
  ['--resume x --layers dense', /--layers.*--resume/],
] as const) {
  t.test(`${line} is refused`, async (t) => {
    t.throws(() => read(line), { message })
  })
}

t.test('values arrive as what they are', async (t) => {
  const options = read(
    '--hidden 300,100 --block 4x1 --sparsity .5 --every epoch --lr 1e-3 --layer-norm --activation all-relu',
  )
  t.match(options, {
    hidden: [300, 100],
    block: '4x1',
    sparsity: 0.5,
    every: 'epoch',
    lr: 0.001,
    layerNorm: true,
  })
  t.equal(read('--every 250').every, 250)
  t.equal(read('').layerNorm, false)
})

t.test('defaults that follow from other options', async (t) => {
  t.match(settle(read('')), { lr: 0.1, weightDecay: 5e-4, every: 100, until: 0.75 })
  t.match(settle(read('--optimizer adamw --rewire set')), {
    lr: 0.001,
    weightDecay: 0.01,
    every: 'epoch',
    until: 1,
  })
  t.match(settle(read('--rewire granet')), { every: 100, fraction: 0.5, until: 0.7, finalSparsity: 0.9 })
  t.match(settle(read('--rewire set-itop')), { every: 1500, fraction: 0.5, until: 1 })
  t.match(settle(read('--rewire snfs')), { every: 'epoch', fraction: 0.5, until: 1 })
  t.match(settle(read('--layers dense')), { rewire: 'static' })
  t.match(settle(read('--lr 3 --until 0.5')), { lr: 3, until: 0.5 })
})

t.test('the command line of a record gives the same settings', async (t) => {
  for (const line of [
    '',
    '--hidden 300,100 --block 4x4 --optimizer adam --rewire static --layer-norm --dropout 0.1',
    '--rewire granet --final-sparsity 0.97 --sparsity 0.5',
    '--layers dense --hidden 30 --drop-connect 0.4 --l1 0.001',
    '--layers masked --rewire importance-pruning --optimizer adamw --l1 0.01',
    '--rewire snip',
    '--rewire chts --every 10 --until 0.9',
    '--topology power-law --fan-in-cv 1.2,0.8 --placement random',
    '--topology spatially-coupled --importance joint --coupled-blocks 4 --window 2',
    '--topology equilibrium --placement random',
    '--topology saved --topology-from runs/a/model.safetensors',
    '--topology epsilon --epsilon 11 --rewire set --every 50 --schedule one-cycle --warmup 5 --seed 9',
  ]) {
    const options = settle(read(line))
    const words = commandLine('digits', options).split(' ')
    t.strictSame(words.slice(0, 3), ['espalier', 'train', 'digits'])
    t.strictSame(settingsOf(settle(read(words.slice(3).join(' ')))), settingsOf(options), line)
  }
})

t.test('the command line of a record is quoted for a shell', async (t) => {
  const line = commandLine("my data/it's.csv", { ...settle(read('')), label: 'a b' })
  t.match(line, `espalier train 'my data/it'\\''s.csv' --label 'a b' --hidden`)
})

t.test('where it computed is no setting, but part of the command line where it was asked for', async (t) => {
  const options = settle(read('--device cuda --precision tf32 --dense-fallback --verbose'))
  t.match(options, { device: 'cuda', precision: 'tf32', denseFallback: true, verbose: true })
  t.strictSame(settingsOf(options), settingsOf(settle(read(''))))
  t.match(commandLine('digits', options), / --device cuda --precision tf32 --dense-fallback$/)
  t.notMatch(commandLine('digits', settle(read(''))), /--device|--precision|--dense/)
})

t.test('what was given is known', async (t) => {
  const command = addTrainOptions(new Command()).parse(['--lr', '0.5', '--layer-norm'], { from: 'user' })
  t.strictSame(givenOptions(command), new Set(['lr', 'layerNorm']))
})

/** Which samples `espalier evaluate` and `predict` take of a file, and which files they refuse. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { espalier, needsAddon, smallTable } from './process.js'

const model = join('run', 'model.safetensors')
const training = ['--hidden', '16', '--sparsity', '0.5', '--threads', '1', '--epochs', '1', '--out', 'run']

t.test('without a run.json a file is used whole too', needsAddon, async (t) => {
  const folder = t.testdir({ 'table.csv': smallTable() })
  const args = ['train', 'table.csv', '--label', 'kind', ...training, '--quiet']
  t.equal((await espalier(folder, args)).code, 0)
  rmSync(join(folder, 'run', 'run.json'))
  const evaluated = await espalier(folder, ['evaluate', model, 'table.csv', '--label', 'kind', '--json'])
  t.match(evaluated.json(), { samples: 90 })

  const unlabelled = smallTable().replaceAll(/,[^,]*$/gm, '')
  writeFileSync(join(folder, 'unlabelled.csv'), unlabelled)
  const predicted = await espalier(folder, ['predict', model, 'unlabelled.csv', '--no-label'])
  t.equal(predicted.code, 0, predicted.stderr)
  t.equal(predicted.stdout.trimEnd().split('\n').length, 91)
  const labelled = await espalier(folder, ['predict', model, 'table.csv', '--label', 'kind'])
  t.equal(predicted.stdout, labelled.stdout, 'scaled by all of the file, with or without its labels')

  const part = ['--part', 'test', '--no-label']
  const test = await espalier(folder, ['predict', model, 'unlabelled.csv', ...part])
  t.equal(test.stdout.trimEnd().split('\n').length, 19, test.stderr)
  const named = await espalier(folder, ['predict', model, 'digits', '--no-label'])
  t.equal(named.code, 2)
  t.match(named.stderr, /option '--no-label' is for files/)
})

t.test('a file must have the columns that the network was trained on', needsAddon, async (t) => {
  const train = 'colour,a,b,y\nred,1,5,0\nblue,2,6,1\nred,3,7,0\nblue,4,8,1\nred,5,9,0\nblue,6,1,1\n'
  const folder = t.testdir({ 'table.csv': train })
  t.equal((await espalier(folder, ['train', 'table.csv', ...training, '--quiet'])).code, 0)
  const evaluate = async (text: string) => {
    writeFileSync(join(folder, 'other.csv'), text)
    return (await espalier(folder, ['evaluate', model, 'other.csv', '--json'])).json()
  }
  t.match(await evaluate(train), { samples: 6 })
  t.match(await evaluate(train.slice(train.indexOf('\n') + 1)), { samples: 6 }, 'without its header')
  const code = 'ERR_ESPALIER_DATA'
  const swapped = await evaluate(train.replace('a,b', 'b,a'))
  t.match(swapped, { error: { code, message: /other\.csv: feature 2 .*"b" where .*trained on "a"/ } })
  const green = await evaluate(train.replaceAll('blue', 'green'))
  t.match(green, { error: { code, message: /feature 0 .*"colour=green" where .*trained on "colour=blue"/ } })
})

t.test('a libsvm file may end before the last feature, or begin after the first', needsAddon, async (t) => {
  const rows = Array.from({ length: 20 }, (_, i) => `${i % 2} 0:${i % 2} 1:${1 - (i % 2)} 2:${i} 3:1\n`)
  const folder = t.testdir({ 'table.svm': rows.join(''), 'few.svm': '0 1:1\n1 2:1\n' })
  t.equal((await espalier(folder, ['train', 'table.svm', ...training, '--quiet'])).code, 0)
  writeFileSync(join(folder, 'same.svm'), '0 1:1 3:0\n1 2:1 3:0\n0 0:1 3:1\n')
  const few = await espalier(folder, ['predict', model, 'few.svm'])
  t.equal(few.code, 0, few.stderr)
  const same = await espalier(folder, ['predict', model, 'same.svm'])
  t.equal(few.stdout, same.stdout.split('\n').toSpliced(3, 1).join('\n'), 'indices from 0, as in training')
  writeFileSync(join(folder, 'few.svm'), '0 1:1\n1 4:1\n')
  const wide = await espalier(folder, ['predict', model, 'few.svm'])
  t.match(wide.stderr, /few\.svm: the index 4, where 4 features from index 0 on/)
})

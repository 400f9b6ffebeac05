import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { renderReport, writeReport } from '../../lib/report/report.js'
import { layer, madeUp } from './made-up.js'

const labels = (page: string): string[] =>
  [...page.matchAll(/aria-label="([^"]*)"/g)].map(([, label]) => label!)

t.test('a report has every plot', async (t) => {
  const page = await renderReport(madeUp())
  t.strictSame(labels(page), [
    'loss by epoch',
    'accuracy by epoch',
    'connections moved at each rewiring',
    'connections kept by each input pixel',
    'histogram of fan-in',
    'histogram of fan-out',
  ])
  t.equal(page.match(/<svg /g)?.length, 6)
  t.match(page, '87.65 %')
  t.match(page, 'espalier train digits --epochs 3')
  t.notMatch(page, /NaN|undefined|\[object/)
})

t.test('a report asks nothing of the network', async (t) => {
  const page = await renderReport(madeUp())
  const addresses = [...page.matchAll(/(\S*)="(https?:[^"]*)"/g)]
  t.ok(addresses.length > 0, 'the name spaces of SVG are there')
  for (const [, attribute, address] of addresses)
    t.match(attribute, /^xmlns(:xlink)?$/, `${attribute} is ${address}`)
  t.notMatch(page, /<(script|link|img|iframe|object)\b/)
  t.notMatch(page, /@import|url\((?!#)/)
})

t.test('pictures share no name, and refer to their own', async (t) => {
  const page = await renderReport(madeUp())
  const names = [...page.matchAll(/\bid="([^"]*)"/g)].map(([, name]) => name)
  t.ok(names.length > 0)
  t.equal(new Set(names).size, names.length, 'names are unique')
  for (const [, name] of page.matchAll(/url\(#([^)]*)\)/g)) t.ok(names.includes(name), `${name} exists`)
})

t.test('text from outside is escaped', async (t) => {
  const evil = `<script>alert("x")</script>&'`
  const record = madeUp({ name: evil, command: evil, settings: { hidden: evil } })
  record.dataset = {
    ...record.dataset,
    name: evil,
    source: evil,
    imageShape: null,
    featureNames: Array(64).fill(evil),
  }
  record.machine = { ...record.machine, processor: evil }
  record.result = {
    ...record.result,
    reason: 'failed',
    error: { code: 'ERR_ESPALIER_DIVERGED', message: evil },
  }
  const page = await renderReport(record)
  t.notMatch(page, /<script/i)
  t.ok(page.includes('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;'))
  t.match(page, /<span class="badge">failed<\/span>/)
})

t.test('inputs of a table are ranked by name', async (t) => {
  const record = madeUp()
  const featureNames = Array.from({ length: 64 }, (_, i) => `column ${i}`)
  record.dataset = { ...record.dataset, imageShape: null, featureNames }
  const page = await renderReport(record)
  t.ok(labels(page).includes('inputs ranked by the connections they keep'))
  t.notOk(labels(page).includes('connections kept by each input pixel'))
  // Inputs with 6 connections are 6, 13, 20, ...; those with none are not among the first 30.
  t.match(page, 'column 13<')
  t.notMatch(page, 'column 0<')
})

t.test('large images are drawn as means over squares', async (t) => {
  const record = madeUp({ layers: [layer('sparse', 130 * 70, 4), layer('dense', 4, 2)] })
  record.dataset = { ...record.dataset, imageShape: [130, 70] }
  const page = await renderReport(record)
  t.match(page, 'Each square is the mean of 3 x 3 pixels.')
})

t.test('a run with nothing to plot still has a report', async (t) => {
  const record = madeUp({ history: [], rewirings: [], layers: [layer('dense', 64, 10)] })
  record.result = {
    ...record.result,
    reason: 'cancelled',
    testAccuracy: null,
    trainLoss: null,
    seconds: 0,
    epochs: 0,
  }
  const page = await renderReport(record)
  t.strictSame(labels(page), [])
  t.match(page, 'ended before its first epoch')
  t.match(page, 'stopped early')
  t.notMatch(page, /NaN|undefined|Infinity/)
})

t.test('regression has no accuracy, and one epoch is enough', async (t) => {
  const record = madeUp()
  record.history = record.history.slice(0, 1).map((epoch) => ({
    ...epoch,
    train: { loss: 2, accuracy: null },
    validation: { loss: 3, accuracy: null },
  }))
  const page = await renderReport(record)
  t.notOk(labels(page).includes('accuracy by epoch'))
  t.ok(labels(page).includes('loss by epoch'))
})

t.test('many rewirings are drawn as means', async (t) => {
  const rewirings = Array.from({ length: 1000 }, (_, i) => ({
    epoch: 1,
    step: i,
    fraction: 0.3,
    layers: [{ layer: 0, moved: 10, returned: 0 }],
  }))
  t.match(await renderReport(madeUp({ rewirings })), 'Each point is the mean of 7 rewirings.')
})

t.test('a report is written whole', async (t) => {
  const folder = t.testdir()
  await writeReport(join(folder, 'report.html'), madeUp())
  t.match(readFileSync(join(folder, 'report.html'), 'utf8'), /^<!doctype html>[\s\S]*<\/html>\n$/)
  t.strictSame(readdirSync(folder), ['report.html'], 'nothing else is left')
  await t.rejects(writeReport(join(folder, 'nowhere', 'report.html'), madeUp()), {
    code: 'ERR_ESPALIER_FILE',
    message: join(folder, 'nowhere', 'report.html'),
  })
})

import t from 'tap'
import { espalier } from './process.js'

const names = ['psn-static', 'psn-gradient', 'psn-rigl', 'npset', 'spatially-coupled', 'set-2000', 'blocks']

t.test('study lists the studies', async (t) => {
  const { code, stdout } = await espalier(t.testdir(), ['study'])
  t.equal(code, 0)
  t.match(stdout, /^study +what it tests +claims\n/)
  for (const name of names) t.match(stdout, `\n${name} `)
  const { json } = await espalier(t.testdir(), ['study', '--json'])
  const { studies } = json() as { studies: { name: string; claims: object[] }[] }
  t.strictSame(
    studies.map(({ name }) => name),
    names,
  )
  t.match(studies[0]!.claims[0], { text: /90 %/, source: /2604\.10560/ })
})

t.test('what it refuses', async (t) => {
  const unknown = await espalier(t.testdir(), ['study', 'psn'])
  t.equal(unknown.code, 1)
  t.match(unknown.stderr, `espalier: there is no study "psn"; there are ${names.join(', ')}\n`)
  const both = await espalier(t.testdir(), ['study', 'npset', '--json', '--markdown'])
  t.equal(both.code, 2)
  t.match(both.stderr, /--markdown.*--json/)
  const none = await espalier(t.testdir(), ['study', 'npset', '--seeds', '0'])
  t.equal(none.code, 2)
  t.match(none.stderr, /--seeds.*1 to 500/)
})

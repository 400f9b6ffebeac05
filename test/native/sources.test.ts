import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const native = fileURLToPath(new URL('../../native/', import.meta.url))

t.test('native/sources.json lists every source file once', async (t) => {
  const lists = JSON.parse(readFileSync(`${native}sources.json`, 'utf8')) as {
    core: string[]
    addon: string[]
    cuda: string[]
  }
  const files = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(cpp|cu)$/.test(file),
  )
  const isAddon = (file: string) => file.startsWith('addon/')
  const isCuda = (file: string) => file.startsWith('device/cuda/')
  t.same(lists.addon, files.filter(isAddon).sort())
  t.same(lists.cuda, files.filter(isCuda).sort())
  t.same(lists.core, files.filter((file) => !isAddon(file) && !isCuda(file)).sort())
})

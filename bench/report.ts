import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './addon.js'
import { measuredPart, pictureFile, replaceMeasured } from './report/page.js'
import { drawPictures } from './report/pictures.js'
import { readResults, readRuns, resultFolder } from './results.js'

// Writes the CPU part of bench/README.md, and its pictures, from what bench/results keeps.

const runs = readRuns()
if (runs.length === 0) {
  console.error('bench/results holds no run; "npm run bench -- --json bench/results/<name>.json" makes one.')
  process.exit(1)
}
const named = []
for (const { name, run } of runs) {
  const pictures = await drawPictures(run)
  for (const [picture, svg] of pictures) writeFileSync(join(resultFolder, pictureFile(name, picture)), svg)
  named.push({ name, run, pictures: [...pictures.keys()] })
}
const page = join(repository, 'bench', 'README.md')
writeFileSync(page, replaceMeasured(readFileSync(page, 'utf8'), measuredPart(named, readResults())))
console.log(`bench/README.md tells of ${runs.map(({ name }) => name).join(', ')}`)

import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { noAddon } from '../model/support.js'
import { programOf } from './examples.js'

const root = new URL('../../', import.meta.url)
const guides = readdirSync(new URL('docs/guides/', root)).map((name) => `docs/guides/${name}`)
const pages = ['README.md', 'docs/choosing.md', ...guides]

/** What the compiler says of programs that lie beside their pages, each with page and line. */
function check(programs: ReadonlyMap<string, string>): string[] {
  const read = ts.readConfigFile(fileURLToPath(new URL('test/tsconfig.json', root)), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(
    read.config,
    ts.sys,
    fileURLToPath(new URL('test/', root)),
  )
  // Examples may name what they do not use.
  const settings = { ...options, noUnusedLocals: false, noUnusedParameters: false, noEmit: true }
  const host = ts.createCompilerHost(settings)
  const { readFile, fileExists, getSourceFile } = host
  host.fileExists = (file) => programs.has(file) || fileExists(file)
  host.readFile = (file) => programs.get(file) ?? readFile(file)
  host.getSourceFile = (file, language, ...rest) => {
    const text = programs.get(file)
    return text === undefined
      ? getSourceFile.call(host, file, language, ...rest)
      : ts.createSourceFile(file, text, language)
  }
  const program = ts.createProgram([...programs.keys()], settings, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1
    return `${path.basename(file?.fileName ?? '')}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

t.test('the examples of README and guides pass the type check', (t) => {
  const programs = new Map(
    pages.map((page) => [`${fileURLToPath(new URL(page, root))}.example.ts`, programOf(new URL(page, root))]),
  )
  t.strictSame(check(programs), [])
  t.end()
})

t.test('the check finds what is wrong, at the line of the page', (t) => {
  const page = path.join(t.testdir(), 'page.md')
  writeFileSync(
    page,
    [
      '# A page',
      '```ts',
      "import { Network } from 'espalier'",
      'const inputs = 4',
      '```',
      'and then',
      '```ts',
      'import {',
      '  Network,',
      '  sparse,',
      "} from 'espalier'",
      'new Network({ inputs, layers: [sparse(2)], sparcity: 0.9 })',
      '```',
    ].join('\n'),
  )
  const at = fileURLToPath(new URL('docs/page.md.example.ts', root))
  const found = check(new Map([[at, programOf(new URL(`file://${page}`))]]))
  t.equal(found.length, 1)
  t.match(found[0], /^page\.md\.example\.ts:12 .*sparcity/)
  t.end()
})

const table = Array.from({ length: 30 }, (_, i) =>
  [1 + (i % 3), 2 + (i % 7) / 10, ['oak', 'elm', 'ash'][i % 3]].join(','),
)

/** What each guide must say where it runs from top to bottom. */
const said: Record<string, RegExp> = {
  'docs/guides/script.md': /the first image is a \d, and the label says \d[\s\S]*accuracy: 1\b/,
  'docs/guides/measure.md': /dense \d+ \d+ samples\/s \d+ KiB[\s\S]*gradients: \d+ bytes[\s\S]* ms/,
  'docs/guides/service.md':
    /(cancelled|finished) \d+\n\w+ \d+\ntrue \d+ \d+\nfinished\n[\s\S]*in a worker \d[\s\S]*422/,
  'docs/guides/research.md': /digits ERK 0\.\d+[\s\S]*gone, CV/,
}

for (const guide of guides) {
  t.test(`${guide} runs from top to bottom`, { skip: noAddon }, (t) => {
    // Within the package, so that programs find it by its name.
    const folder = t.testdir({ 'table.csv': `width,height,species\n${table.join('\n')}\n` })
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
    const { outputText } = ts.transpileModule(programOf(new URL(guide, root)), { compilerOptions })
    writeFileSync(path.join(folder, 'guide.mjs'), outputText)
    const output = execFileSync(process.execPath, ['guide.mjs'], { cwd: folder, encoding: 'utf8' })
    t.match(output, said[guide])
    t.end()
  })
}

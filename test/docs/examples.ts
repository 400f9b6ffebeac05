/** The code of a page of the documentation, as one program. */
import { readFileSync } from 'node:fs'

const fence = /^```(\w*)\s*$/
const importStatement = /^import\s[\s\S]*?from\s+'[^']+'[ \t]*$/gm

/**
 * Every block marked ts or js, in the order of the page, each inside the one before: a block sees what earlier ones declare,
 * and may declare it anew. Lines keep their numbers, so that an error names the line of the page; imports are gathered in
 * the first line, each name once.
 */
export function programOf(page: URL): string {
  const lines = readFileSync(page, 'utf8').split('\n')
  const imports = new Map<string, Set<string>>()
  let language: string | null = null
  let blocks = 0
  const code = lines.map((line) => {
    const mark = fence.exec(line)
    if (mark !== null) {
      language = language === null ? mark[1]! : null
      const opens = language === 'ts' || language === 'js'
      if (opens) blocks++
      return opens ? '{' : ''
    }
    return language === 'ts' || language === 'js' ? line : ''
  })
  const body = code.join('\n').replace(importStatement, (statement) => {
    const [, what, from] = /^import\s+([\s\S]*?)\s+from\s+'([^']+)'/.exec(statement)!
    const names = imports.get(from!) ?? new Set()
    for (const name of namesOf(what!)) names.add(name)
    imports.set(from!, names)
    return statement.replace(/[^\n]/g, '')
  })
  const heads = [...imports].map(([from, names]) => headOf(from, [...names]))
  return `${heads.join('; ')}; export {};${body}\n${'}'.repeat(blocks)}\n`
}

/** `client, { Registry, type Counter }` as `default client`, `Registry`, `type Counter`. */
function namesOf(what: string): string[] {
  const typeOnly = what.startsWith('type ')
  const [, alone, list] = /^([\w$]+)?,?\s*(?:\{([\s\S]*)\})?$/.exec(what.replace(/^type\s+/, ''))!
  const named = (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return [
    ...(alone === undefined ? [] : [`default as ${alone}`]),
    ...named.map((name) => (typeOnly ? `type ${name}` : name)),
  ]
}

const headOf = (from: string, names: string[]): string => `import { ${names.join(', ')} } from '${from}'`

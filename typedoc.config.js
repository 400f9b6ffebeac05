/** The documentation site: `npm run docs` writes it to build/site. */

/** Pages are called by their first heading, not by their file: there is more than one README. */
function titles(app) {
  app.converter.on('createDocument', (_context, page) => {
    const heading = page.content.find(({ kind, text }) => kind === 'text' && /^# /m.test(text))
    page.name = heading?.text.match(/^# (.+)$/m)[1] ?? page.name
  })
}

/** Where a page names what the API exports, as in `Network`, `sgd(...)` or `network.stats()`, it becomes a link. */
function apiLinks(app) {
  app.converter.on('resolveBegin', ({ project }) => {
    const exported = new Map(
      project.children.flatMap(({ children }) => children.map((one) => [one.name, one])),
    )
    const targetOf = (code) => {
      const [, name] = /^`(?:new )?([A-Za-z]\w+)(?:\(.*\))?`$/.exec(code) ?? []
      const [, method] = /^`network\.(\w+)(?:\(.*\))?`$/.exec(code) ?? []
      return exported.get(name) ?? exported.get('Network').children.find((one) => one.name === method)
    }
    for (const page of project.documents) {
      page.content = page.content.map((part) => {
        const target = part.kind === 'code' ? targetOf(part.text) : undefined
        return target === undefined
          ? part
          : { kind: 'inline-tag', tag: '@linkcode', text: part.text.slice(1, -1), target }
      })
    }
  })
}

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'Espalier',
  entryPoints: ['ts/index.ts', 'ts/kernels.ts'],
  tsconfig: 'tsconfig.json',
  out: 'build/site',
  readme: 'README.md',
  projectDocuments: [
    'docs/guides/*.md',
    'docs/*.md',
    'bench/README.md',
    'bench/peers/README.md',
    'examples/*/README.md',
  ],
  plugin: [titles, apiLinks],
  highlightLanguages: ['bash', 'json', 'javascript', 'typescript', 'python'],
  excludeInternal: true,
  disableSources: true,
  includeHierarchySummary: false,
  sort: ['source-order'],
  sortEntryPoints: false,
  // Every symbol has words, and every link leads somewhere, or there is no site.
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
    notDocumented: true,
  },
  // Helpers that a type is written with.
  intentionallyNotExported: ['WidthOfData', 'NativePlacement'],
  requiredToBeDocumented: [
    'Class',
    'Interface',
    'TypeAlias',
    'Function',
    'Variable',
    'Enum',
    'Method',
    'Accessor',
  ],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
}

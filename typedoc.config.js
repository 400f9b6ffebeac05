/** The documentation site: `npm run docs` writes it to build/site. */

/** Pages are called by their first heading, not by their file: there is more than one README. */
function titles(app) {
  app.converter.on('createDocument', (_context, page) => {
    const heading = page.content.find(({ kind, text }) => kind === 'text' && /^# /m.test(text))
    page.name = heading?.text.match(/^# (.+)$/m)[1] ?? page.name
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
  plugin: [titles],
  excludeInternal: true,
  disableSources: true,
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

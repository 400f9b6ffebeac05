import Table from 'cli-table3'

/** A table as lines of plain text: numbers to the right, no frame, so that it can be piped. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (rows.some((row) => isNumber(row[column])) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: Object.fromEntries(
      ['top', 'bottom', 'left', 'right', 'mid', 'middle'].flatMap((edge) =>
        ['', '-mid', '-left', '-right'].map((part) => [`${edge}${part}`, '']),
      ),
    ),
  })
  for (const row of rows) table.push(row.map(String))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
}

const isNumber = (cell: string | number | undefined): boolean =>
  cell !== undefined && /^[\d,.]+( %| [KMG]?i?B)?$/.test(String(cell))

// How the benchmarks' pages write tables and numbers.

type Text = string | number

export function table(head: readonly Text[], rows: readonly (readonly Text[])[]): string {
  const line = (cells: readonly Text[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** 0.95 -> "95 %" */
export const percent = (share: number): string => `${+(100 * share).toFixed(1)} %`

/** 4.321 -> "4.32x", 43.21 -> "43.2x"; "-" where there is none. */
export const times = (value: number | null): string =>
  value === null ? '-' : `${value.toFixed(value < 10 ? 2 : 1)}x`

/** Distinct numbers, smallest first. */
export const distinct = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b)

export const threadText = (threads: number): string => (threads === 1 ? '1 thread' : `${threads} threads`)

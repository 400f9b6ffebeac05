/** A good input, or the part of one that is worth changing. */
export interface Seed {
  bytes: Buffer
  /** Makes a whole file of the changed part: lengths and checksums right, so that the change is reached. */
  finish?: (bytes: Buffer) => Buffer
}

/** A reader under test. */
export interface Target {
  name: string
  /** Ending of the file that it reads. */
  extension: string
  /** Words of the format. */
  tokens: readonly Buffer[]
  /** @param folder to write files in while they are made */
  seeds(folder: string): Promise<Seed[]>
  read(file: string): Promise<unknown>
}

export const words = (...texts: readonly string[]): Buffer[] =>
  texts.map((text) => Buffer.from(text, 'latin1'))

/** What JSON is made of, and what readers of it stumble over. */
export const jsonTokens = words(
  // Deeper than any stack.
  '['.repeat(10_000) + ']'.repeat(10_000),
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  'null',
  'true',
  '""',
  '[]',
  '{}',
  '-1',
  '1e999',
  '"__proto__":',
  '\\u0000',
)

import { readFileSync } from 'node:fs'

/** Version of Espalier, also where the addon does not load. */
export function espalierVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}

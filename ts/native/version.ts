import { readFileSync } from 'node:fs'
import path from 'node:path'
import { packageRoot } from './loader.js'

let version: string | undefined

/** Version of this package. */
export function packageVersion(): string {
  version ??= String(JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')).version)
  return version
}

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../addon.js'
import { run } from './process.js'

/** Where peers, weights and data lie; git ignores it. */
export const peersFolder = join(repository, 'build', 'peers')

export interface Packages {
  from: 'PyPI' | 'npm'
  /** Name of its folder in build/peers. */
  folder: string
  /** With their versions. */
  names: readonly string[]
}

/** How to start a script that needs the packages. */
export interface Runtime {
  program: string
  folder: string
}

/**
 * Installs packages into a folder of their own, unless they are there.
 *
 * @throws Error saying what failed, for example that there is no Python or no network
 */
export async function install({ from, folder: name, names }: Packages): Promise<Runtime> {
  const folder = join(peersFolder, name)
  const program = from === 'npm' ? process.execPath : join(folder, 'bin', 'python')
  const stamp = join(folder, 'installed')
  const wanted = names.join('\n')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { program, folder }
  console.error(`installing ${names.join(', ')} into build/peers/${name}`)
  mkdirSync(folder, { recursive: true })
  if (from === 'npm') {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--save-exact', '--ignore-scripts', ...names],
      folder,
    )
  } else {
    await run('python3', ['-m', 'venv', folder], folder)
    await run(program, ['-m', 'pip', 'install', '--quiet', ...names], folder)
  }
  writeFileSync(stamp, wanted)
  return { program, folder }
}

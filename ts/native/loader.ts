import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ErrorCode, EspalierError } from '../errors.js'
import type { NativeAddon } from './surface.js'

/** The folder of package.json; this file is compiled to lib/native/. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url))

let loaded: NativeAddon | undefined

/**
 * The native addon, loaded at the first call. The environment variable ESPALIER_ADDON names another build of it, such as
 * one with sanitizers.
 *
 * @throws ERR_ESPALIER_NATIVE when it is missing or does not load
 */
export function addon(): NativeAddon {
  loaded ??= process.env.ESPALIER_ADDON
    ? open(process.env.ESPALIER_ADDON, packageRoot)
    : loadAddon(packageRoot)
  return loaded
}

/**
 * Loads the addon of the package at `root`: what was built there, else what was shipped for this platform.
 *
 * @throws ERR_ESPALIER_NATIVE naming the places tried and what to do
 */
export function loadAddon(root: string): NativeAddon {
  const platform = `${process.platform}-${process.arch}`
  const places = [
    path.join(root, 'build', 'Release', 'espalier.node'),
    path.join(root, 'prebuilds', platform, 'espalier.node'),
  ]
  const file = places.find((place) => existsSync(place))
  if (file === undefined) {
    throw new EspalierError(
      'ERR_ESPALIER_NATIVE',
      `the native addon is not built for ${platform} (looked for ${places.join(' and ')}); ${advice(root)}`,
    )
  }
  return open(file, root)
}

/** A published package has no sources that could be built. */
function advice(root: string): string {
  const build = 'which needs a C++20 compiler and CMake'
  if (existsSync(path.join(root, 'CMakeLists.txt'))) return `run \`npm run build\` in the package, ${build}`
  return (
    'this package has no sources to build it from; run `npm pack` in a checkout of Espalier on such a platform, ' +
    `${build}, and install the file that it writes`
  )
}

function open(file: string, root: string): NativeAddon {
  try {
    return createRequire(import.meta.url)(file) as NativeAddon
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EspalierError(
      'ERR_ESPALIER_NATIVE',
      `the native addon ${file} does not load on ${process.platform}-${process.arch}, Node ${process.version}: ${reason}; ` +
        advice(root),
      { cause },
    )
  }
}

/** What the addon threw, as an EspalierError: the addon marks what it throws on purpose with a `code`. */
export function fromNative(cause: unknown): EspalierError {
  if (cause instanceof EspalierError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const code = (cause as { code?: unknown } | null)?.code
  const known = typeof code === 'string' && code.startsWith('ERR_ESPALIER_')
  return new EspalierError(known ? (code as ErrorCode) : 'ERR_ESPALIER_INTERNAL', message, { cause })
}

/** Calls into the addon and translates what it throws. */
export function guarded<T>(call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw fromNative(cause)
  }
}

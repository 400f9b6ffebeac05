import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { type BenchAddon, type Library, repository } from './addon.js'

export interface Cache {
  level: number
  type: 'Data' | 'Unified'
  kibibytes: number
  /** Processors that share it. */
  sharedBy: number
}

export interface Machine {
  processor: string
  /** Processors that the run may use. */
  processors: number
  memoryGB: number
  /** Of the first processor; empty where the system does not tell. */
  caches: Cache[]
  system: string
  node: string
  espalier: string
  /** Of the project's kernels. */
  instructionSet: string
  libraries: readonly Library[]
  /** False where threads could not be bound to processors. */
  pinned: boolean
  /** Of the sources, with a plus where they were changed since; null outside a checkout. */
  commit: string | null
  /** When the run began. */
  date: string
}

const cacheFolder = '/sys/devices/system/cpu/cpu0/cache'

/** 'N-M,K' -> how many. */
function countOf(list: string): number {
  return list.split(',').reduce((sum, range) => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return sum + to - from + 1
  }, 0)
}

/** As Linux tells them; the caches of instructions are left out. */
function cachesOf(): Cache[] {
  try {
    return readdirSync(cacheFolder)
      .filter((name) => name.startsWith('index'))
      .map((name) => {
        const read = (field: string) => readFileSync(`${cacheFolder}/${name}/${field}`, 'utf8').trim()
        return {
          level: Number(read('level')),
          type: read('type') as Cache['type'],
          kibibytes: Number.parseInt(read('size'), 10),
          sharedBy: countOf(read('shared_cpu_list')),
        }
      })
      .filter(({ type }) => type === 'Data' || type === 'Unified')
  } catch {
    return []
  }
}

function commitOf(): string | null {
  const git = (...words: string[]) =>
    execFileSync('git', words, {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    // What was measured is the code; the pages and results beside it may change.
    const changed = git('status', '--porcelain', '--', 'native', 'bench/native', 'ts') !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? '+' : '')
  } catch {
    return null
  }
}

export function describeMachine(addon: BenchAddon): Machine {
  const { version } = JSON.parse(readFileSync(`${repository}/package.json`, 'utf8')) as { version: string }
  const processors = os.availableParallelism()
  return {
    processor: os.cpus()[0]?.model.trim() || 'unknown',
    processors,
    memoryGB: Math.round(os.totalmem() / 2 ** 30),
    caches: cachesOf(),
    system: `${os.type()} ${os.arch()}`,
    node: process.version,
    espalier: version,
    instructionSet: addon.instructionSet(),
    libraries: addon.libraries().found,
    pinned: addon.bindToProcessors(processors),
    commit: commitOf(),
    date: new Date().toISOString(),
  }
}

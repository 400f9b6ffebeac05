/** One comparison at a time in a folder. */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { EspalierError } from '../errors.js'
import { fileError } from '../formats/atomic-file.js'

interface Holder {
  readonly pid: number
  readonly host: string
  /** ISO 8601. */
  readonly since: string
}

/** Locks that this process holds: a process may have the number of a dead one whose lock it finds. */
const held = new Set<string>()

let taken = 0

/**
 * Takes the lock of a folder, a file `lock` with the process that holds it. The lock of a process that is no more is taken over.
 *
 * @returns gives the lock back
 * @throws ERR_ESPALIER_STATE naming the process that has it, ERR_ESPALIER_FILE
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.join(path.resolve(folder), 'lock')
  const own = `${file}.${process.pid}.${taken++}`
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() }
  try {
    await writeFile(own, JSON.stringify(holder))
    // A link to a whole file: it is made by one process only, and never seen half written.
    while (!(await linked(own, file))) await removeStale(folder, file, own)
  } catch (cause) {
    throw fileError('lock', file, cause)
  } finally {
    await rm(own, { force: true })
  }
  held.add(file)
  return async () => {
    held.delete(file)
    await rm(file, { force: true })
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Takes a dead process's lock away, or throws who holds it. */
async function removeStale(folder: string, file: string, own: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return
  if (alive(readHolder(text), file)) throw busy(folder, file, readHolder(text))
  // Renamed before it is removed: of two processes that find the same dead lock, one might remove the other's new one.
  const stale = `${own}.stale`
  try {
    await rename(file, stale)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if ((await readFile(stale, 'utf8')) !== text) await linked(stale, file)
  await rm(stale, { force: true })
}

function readHolder(text: string): Holder | null {
  try {
    const { pid, host, since } = JSON.parse(text)
    return Number.isSafeInteger(pid) && pid > 0 ? { pid, host: String(host), since: String(since) } : null
  } catch {
    return null
  }
}

/** Whether the holder lives, as far as can be known: of another machine nobody can tell from here. */
function alive(holder: Holder | null, file: string): boolean {
  if (holder === null) return false
  if (holder.host !== hostname()) return true
  if (holder.pid === process.pid) return held.has(file)
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    // Somebody else's process lives, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function busy(folder: string, file: string, holder: Holder | null): EspalierError {
  const { pid, host, since } = holder!
  return new EspalierError(
    'ERR_ESPALIER_STATE',
    `${folder} is in use by another comparison (process ${pid} on ${host}, since ${since}); wait for it, choose another ` +
      `folder, or remove ${file} if that process is gone`,
  )
}

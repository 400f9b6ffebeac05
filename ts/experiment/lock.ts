/** One comparison at a time in a folder. */
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { EspalierError } from '../errors.js'
import { fileError } from '../formats/atomic-file.js'

interface Holder {
  /** Tells this lock from every other. */
  readonly id: string
  readonly pid: number
  readonly host: string
  /** ISO 8601. */
  readonly since: string
}

/** The locks that this process holds or is about to: it may have the number of a dead process whose lock it finds. */
const held = new Set<string>()

/**
 * Takes the lock of a folder, a file `lock` with the process that holds it. The lock of a process that is no more is taken over.
 *
 * @returns gives the lock back
 * @throws ERR_ESPALIER_STATE naming the process that has it, ERR_ESPALIER_FILE
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.join(path.resolve(folder), 'lock')
  const id = randomUUID()
  const own = `${file}.${id}`
  const holder: Holder = { id, pid: process.pid, host: hostname(), since: new Date().toISOString() }
  held.add(id)
  try {
    await writeFile(own, JSON.stringify(holder))
    // A link to a whole file: it is made by one process only, and never seen half written.
    while (!(await linked(own, file))) await removeStale(folder, file, own)
  } catch (cause) {
    held.delete(id)
    throw fileError('lock', file, cause)
  } finally {
    // What went wrong before says more.
    await rm(own, { force: true }).catch(() => {})
  }
  return async () => {
    held.delete(id)
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
  if (alive(readHolder(text))) throw busy(folder, file, readHolder(text))
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
    const { id, pid, host, since } = JSON.parse(text)
    if (!Number.isSafeInteger(pid) || pid < 1) return null
    return { id: String(id), pid, host: String(host), since: String(since) }
  } catch {
    return null
  }
}

/** Whether the holder lives, as far as can be known: of another machine nobody can tell from here. */
function alive(holder: Holder | null): boolean {
  if (holder === null) return false
  if (holder.host !== hostname()) return true
  if (holder.pid === process.pid) return held.has(holder.id)
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

/** One comparison at a time in a folder. */
import { randomUUID } from 'node:crypto'
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
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
    while (!(await linked(own, file))) await removeStale(folder, file)
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

/** Milliseconds after which the right to take a lock away counts as left behind: using it takes a few. */
const patience = 10_000

/**
 * Takes a dead process's lock away, or throws who holds it. Only one process at a time may, since of two that find the same
 * dead lock one would remove the other's new one.
 */
async function removeStale(folder: string, file: string): Promise<void> {
  const right = `${file}.takeover`
  if (!(await isStale(folder, file))) return
  if (!(await created(right))) {
    const since = (await stat(right).catch(() => null))?.mtimeMs ?? Date.now()
    if (Date.now() - since > patience) await rm(right, { force: true })
    await setTimeout(20)
    return
  }
  try {
    if (await isStale(folder, file)) await rm(file, { force: true })
  } finally {
    await rm(right, { force: true })
  }
}

/** Whether there is a lock and its holder is dead. @throws ERR_ESPALIER_STATE where the holder lives */
async function isStale(folder: string, file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return false
  const holder = readHolder(text)
  if (holder !== null && alive(holder)) throw busy(folder, file, holder)
  return true
}

/** Makes an empty file; false where it is there already. */
async function created(file: string): Promise<boolean> {
  try {
    await writeFile(file, '', { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
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
function alive(holder: Holder): boolean {
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

function busy(folder: string, file: string, { pid, host, since }: Holder): EspalierError {
  return new EspalierError(
    'ERR_ESPALIER_STATE',
    `${folder} is in use by another comparison (process ${pid} on ${host}, since ${since}); wait for it, choose another ` +
      `folder, or remove ${file} if that process is gone`,
  )
}

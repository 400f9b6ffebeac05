import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { EspalierError, type RunRecord, readRunRecord } from '../index.js'
import { usage } from './console.js'

/** The folder of a run and the three files in it. */
export interface RunFolder {
  name: string
  folder: string
  checkpoint: string
  record: string
  report: string
}

const files = { checkpoint: 'model.safetensors', record: 'run.json', report: 'report.html' } as const

/** Describes a run folder, which need not exist. */
export function runFolder(folder: string, name: string): RunFolder {
  const at = (file: string): string => path.join(folder, file)
  return {
    name,
    folder,
    checkpoint: at(files.checkpoint),
    record: at(files.record),
    report: at(files.report),
  }
}

/** The record of the run that wrote a checkpoint, or null where there is none beside it. */
export async function readRecordBeside(checkpoint: string): Promise<RunRecord | null> {
  try {
    return await readRunRecord(path.join(path.dirname(checkpoint), files.record))
  } catch (error) {
    if (error instanceof EspalierError && error.code === 'ERR_ESPALIER_NOT_FOUND') return null
    throw error
  }
}

/**
 * Refuses a folder that already holds a run.
 *
 * @throws ERR_ESPALIER_OPTION
 */
export async function refuseTaken(out: string | undefined, allowed: boolean): Promise<void> {
  if (out === undefined || allowed) return
  // A folder that is not there yet is not taken; what else may be wrong with it shows when it is made.
  const there = await readdir(out).catch(() => [])
  const taken = there.find((file) => Object.values<string>(files).includes(file))
  if (taken !== undefined) {
    throw usage(
      `--out ${out} already holds a run (${taken}); choose another folder, or add --overwrite to replace it`,
    )
  }
}

/**
 * Makes the folder for a new run.
 *
 * @param out the folder asked for; undefined for `runs/<name>`, numbered where that exists
 * @param overwrite takes away what an earlier run left in `out`, so that nothing of two runs is mixed
 * @throws ERR_ESPALIER_FILE where the folder cannot be made
 */
export async function makeRunFolder(
  out: string | undefined,
  name: string,
  overwrite: boolean,
): Promise<RunFolder> {
  try {
    if (out !== undefined) {
      await mkdir(out, { recursive: true })
      if (overwrite) for (const file of Object.values(files)) await rm(path.join(out, file), { force: true })
      return runFolder(path.resolve(out), name)
    }
    const runs = path.resolve('runs')
    await mkdir(runs, { recursive: true })
    for (let number = 1; ; number++) {
      const numbered = number === 1 ? name : `${name}-${number}`
      if (await makeNew(path.join(runs, numbered))) return runFolder(path.join(runs, numbered), numbered)
    }
  } catch (error) {
    throw new EspalierError(
      'ERR_ESPALIER_FILE',
      `cannot make the run folder ${out ?? path.join('runs', name)}: ${(error as Error).message}`,
      { cause: error },
    )
  }
}

/** Makes a folder; false where there is one already, so that two runs never share it. */
async function makeNew(folder: string): Promise<boolean> {
  try {
    await mkdir(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A name for a run: the data set's own, and the time to the minute, fit for a folder. */
export function runName(dataset: string, now: Date): string {
  const base = path
    .basename(dataset)
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+/, '')
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
  return `${base || 'run'}-${date}-${two(now.getHours())}-${two(now.getMinutes())}-${two(now.getSeconds())}`
}

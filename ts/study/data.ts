/** Which data sets of a study can be had. */

import { listDatasets } from '../data/catalogue.js'
import type { DownloadProgress } from '../data/download.js'
import { loadDataset } from '../data/load.js'
import { EspalierError } from '../errors.js'
import type { Places } from '../experiment/data.js'
import type { StudyDataset } from '../experiment/study.js'

/** A data set that was not found, and what it means for the study. */
export interface Missing {
  /** As in the study. */
  readonly dataset: string
  /** What to put where. */
  readonly reason: string
}

export interface FoundData {
  readonly there: readonly StudyDataset[]
  readonly missing: readonly Missing[]
  /** What is not the whole set. */
  readonly notes: readonly string[]
}

/**
 * Finds the data sets of a study, all of them names of the catalogue, and downloads what is not on this machine.
 *
 * @throws what `loadDataset` throws but ERR_ESPALIER_OFFLINE and ERR_ESPALIER_CHECKSUM, which make a data set a missing one
 */
export async function findData(
  datasets: readonly StudyDataset[],
  places: Places,
  signal: AbortSignal | undefined,
  onDownload: (progress: DownloadProgress) => void,
): Promise<FoundData> {
  const reasons = new Map<string, string>()
  for (const { name, files, generated } of await listDatasets(places)) {
    if (generated || files.length > 0 || !datasets.some((dataset) => dataset.name === name)) continue
    const reason = await download(name, places, signal, onDownload)
    if (reason !== null) reasons.set(name, reason)
  }
  const rows = await listDatasets(places)
  const missing = datasets.filter(({ name }) => reasons.has(name))
  const there = datasets.filter(({ name }) => !reasons.has(name))
  const notes = there.flatMap(({ name, as = name }) => {
    const found = rows.find((row) => row.name === name)?.found
    return found === undefined ? [] : [`${as}: only ${found} was found, not the whole set.`]
  })
  return {
    there,
    missing: missing.map(({ name, as = name }) => ({ dataset: as, reason: reasons.get(name)! })),
    notes,
  }
}

/** Null where it is here now. */
async function download(
  name: string,
  places: Places,
  signal: AbortSignal | undefined,
  onProgress: (progress: DownloadProgress) => void,
): Promise<string | null> {
  try {
    await loadDataset(name, { ...places, onProgress, ...(signal === undefined ? {} : { signal }) })
    return null
  } catch (error) {
    const code = error instanceof EspalierError ? error.code : null
    if (code !== 'ERR_ESPALIER_OFFLINE' && code !== 'ERR_ESPALIER_CHECKSUM') throw error
    return (error as Error).message
  }
}

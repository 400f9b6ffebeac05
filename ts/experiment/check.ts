/** Whether the runs of a study can start at all, found out before the first of them does. */
import type { DownloadProgress } from '../data/download.js'
import { EspalierError } from '../errors.js'
import { Network } from '../model/network.js'
import { loadStudyData } from './data.js'
import type { Job, JobSettings } from './grid.js'
import { networkFor } from './network.js'

/**
 * Loads each data set once, which downloads it where needed, and makes the network of each job; those of methods with
 * preparations, which may change it, are left to their runs, and so is one that does not fit in memory.
 *
 * @param jobs one for each data set, method and sparsity
 * @throws what is wrong, naming method and data set
 */
export async function check(
  jobs: readonly Job[],
  { places }: JobSettings,
  onProgress: (progress: DownloadProgress) => void,
): Promise<void> {
  for (const name of new Set(jobs.map(({ dataset }) => dataset.as))) {
    const ofData = jobs.filter(({ dataset }) => dataset.as === name)
    const { train } = await loadStudyData(ofData[0]!.dataset, ofData[0]!.dataSeed, places, onProgress)
    for (const { method, sparsity, seed } of ofData) {
      if (method.prepare.length > 0) continue
      try {
        new Network(networkFor(method.network, train, sparsity, seed)).dispose()
      } catch (cause) {
        if (!(cause instanceof EspalierError)) throw cause
        if (cause.code === 'ERR_ESPALIER_MEMORY') continue
        const where = `study: method ${JSON.stringify(method.name)} on ${JSON.stringify(name)}`
        throw new EspalierError(cause.code, `${where}: ${cause.message}`, { cause })
      }
    }
  }
}

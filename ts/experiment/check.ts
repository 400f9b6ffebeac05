/** Whether the runs of a study can start at all, found out before the first of them does. */
import type { DownloadProgress } from '../data/download.js'
import type { LoadedSplit } from '../data/loaded.js'
import { EspalierError } from '../errors.js'
import { Network } from '../model/network.js'
import type { Job, JobSettings } from './grid.js'
import { keptSamples } from './kept-samples.js'
import { networkFor } from './network.js'
import { prepare, trains } from './preparations/registry.js'

/**
 * Loads each data set once, which downloads it where needed, and makes the network of each job. Left to their runs are those
 * of methods with preparations that train, and a network that does not fit in memory.
 *
 * @param jobs one for each data set, method and sparsity
 * @throws what is wrong, naming method and data set
 */
export async function check(
  jobs: readonly Job[],
  settings: JobSettings,
  onProgress: (progress: DownloadProgress) => void,
): Promise<void> {
  for (const name of new Set(jobs.map(({ dataset }) => dataset.as))) {
    const ofData = jobs.filter(({ dataset }) => dataset.as === name)
    const { dataset, dataSeed } = ofData[0]!
    const data = await keptSamples(settings.samples, dataset, dataSeed, settings.places, onProgress)
    for (const job of ofData) await checkJob(job, data, settings)
  }
}

async function checkJob(job: Job, data: LoadedSplit, { threads }: JobSettings): Promise<void> {
  const { method, dataset, sparsity, seed } = job
  if (trains(method.prepare)) return
  try {
    const network = networkFor(method.network, data.train, sparsity, seed)
    const run = { data, network, fit: method.fit, notes: {} }
    const prepared = await prepare(run, method.prepare, { sparsity, seed, threads })
    new Network(prepared.network).dispose()
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause
    if (cause.code === 'ERR_ESPALIER_MEMORY') return
    const where = `study: method ${JSON.stringify(method.name)} on ${JSON.stringify(dataset.as)}`
    throw new EspalierError(cause.code, `${where}: ${cause.message}`, { cause })
  }
}

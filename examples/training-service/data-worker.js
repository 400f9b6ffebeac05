/**
 * Reads data sets on a thread of its own, so that no file, however large or strange, holds up the service. Samples lie on
 * SharedArrayBuffers and come back without a copy.
 */
import { parentPort } from 'node:worker_threads'
import { loadDataset, loadFile, readDataset } from 'espalier'

parentPort.on('message', async (request) => {
  try {
    parentPort.postMessage({ value: await answer(request) })
  } catch (error) {
    // The client knows its file by another name than we do, and has no business with our folders.
    const message = error.message.replaceAll(request.file ?? '\0', request.name)
    parentPort.postMessage({ error: { code: error.code ?? 'ERR_INTERNAL', message } })
  }
})

function answer({ kind, name, file, options }) {
  if (kind === 'generator') return loadDataset(name)
  if (kind === 'file') return loadFile(file, options)
  return readDataset(file, options)
}

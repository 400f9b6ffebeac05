#!/usr/bin/env node
/** Starts the service, and stops it gracefully. */
import { makeService } from './service.js'
import { readSettings } from './settings.js'

/** Milliseconds for runs to come to a step and be saved. Whoever is cut off goes on from the last checkpoint. */
const grace = 30_000

let app
try {
  const settings = readSettings(process.env)
  app = await makeService(settings)
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop(signal))
  await app.listen({ host: settings.host, port: settings.port })
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
  await app?.close()
}

async function stop(signal) {
  app.log.info(`${signal}: stopping`)
  setTimeout(() => process.exit(1), grace).unref()
  await app.close()
}

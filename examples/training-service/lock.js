/** One service to a folder: two would train the same jobs. */
import { mkdir, rm } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'

/** Of the path of a socket, on every system. */
const longestPath = 100

/**
 * Takes a folder. The lock is a Unix socket that we listen on: unlike a file it can be told when its owner is dead, since
 * then nobody answers.
 *
 * @returns gives the folder back
 * @throws {Error} when another service has it
 */
export async function lockFolder(folder) {
  await mkdir(folder, { recursive: true })
  const file = shorter(path.join(folder, 'lock'))
  const server = net.createServer((socket) => socket.destroy())
  if (!(await listens(server, file))) {
    if (await answers(file)) throw new Error(`another service uses the folder ${folder}`)
    await rm(file, { force: true })
    if (!(await listens(server, file))) throw new Error(`another service has just taken the folder ${folder}`)
  }
  server.unref()
  return () => new Promise((resolve) => server.close(resolve))
}

/** Whether the socket is ours now, rather than there already. */
function listens(server, file) {
  return new Promise((resolve, reject) => {
    const refused = (error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error))
    server.once('error', refused).listen(file, () => {
      server.off('error', refused)
      resolve(true)
    })
  })
}

function answers(file) {
  return new Promise((resolve) => {
    const socket = net.connect(file)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function shorter(file) {
  const relative = path.relative(process.cwd(), file)
  const found = Buffer.byteLength(relative) < Buffer.byteLength(file) ? relative : file
  if (Buffer.byteLength(found) > longestPath) {
    throw new Error(`the path ${found} is too long for a lock; start the service nearer to its folder`)
  }
  return found
}

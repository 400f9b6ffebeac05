/** What clients send as files. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Failure } from './failure.js'

const MB = 2 ** 20
/** Bytes of the settings in a form. */
const settingsBytes = 16_384

/**
 * Takes a form with the field `settings`, JSON, and the file `data`.
 *
 * @param request of Fastify
 * @param {string} file where the data goes; what the client calls it does not matter
 * @param {number} megabytes that it may have
 * @returns {Promise<unknown>} the settings
 */
export async function receiveForm(request, file, megabytes) {
  const limits = { files: 1, fields: 1, parts: 2, fieldSize: settingsBytes, fileSize: megabytes * MB }
  try {
    return await receiveParts(request.parts({ limits }), file, megabytes)
  } catch (error) {
    // What is still to come is read and thrown away: a client that sends has no ear for the answer.
    request.raw.unpipe().resume()
    throw error
  }
}

async function receiveParts(parts, file, megabytes) {
  let settings = {}
  let received = false
  for await (const part of parts) {
    if (part.type === 'file' && part.fieldname === 'data') {
      await store(part.file, file, megabytes)
      received = true
    } else if (part.type === 'field' && part.fieldname === 'settings' && !part.valueTruncated) {
      settings = parseSettings(part.value)
    } else {
      throw bad(
        `the part "${part.fieldname}" is not expected or too long; allowed: settings (JSON), data (a file)`,
      )
    }
  }
  if (!received) throw bad('the form has no file "data"')
  return settings
}

/** Packed data would be small here and large in memory. @throws {Failure} 400 */
export function refusePacked(bytes) {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw bad('the data is packed by gzip; send it as it is')
}

async function store(source, file, megabytes) {
  let first = true
  const looked = async function* (chunks) {
    for await (const chunk of chunks) {
      if (first) refusePacked(chunk)
      first = false
      yield chunk
    }
  }
  await pipeline(source, looked, createWriteStream(file, { flags: 'wx', flush: true }))
  if (source.truncated) {
    throw new Failure(413, 'ERR_TOO_LARGE', `the file is larger than ${megabytes} MiB, the most allowed here`)
  }
}

/** @param value text, or what the form library has parsed where the field came as application/json */
function parseSettings(value) {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value
  } catch (error) {
    throw bad(`settings are not JSON: ${error.message}`)
  }
}

function bad(message) {
  return new Failure(400, 'ERR_FORM', message)
}

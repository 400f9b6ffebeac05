import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { basename, dirname } from 'node:path'
import { EspalierError } from '../errors.js'
import { fileError } from './readers/bytes.js'

/** How far a download is. */
export interface DownloadProgress {
  /** Name of the file. */
  readonly file: string
  /** Bytes that have arrived. */
  readonly received: number
  /** Bytes of the whole file, where the server says. */
  readonly total: number | undefined
}

/** How a download behaves. */
export interface DownloadOptions {
  /** SHA-256 in hexadecimal that the file must have; unchecked where absent. */
  readonly sha256?: string | undefined
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

const MOST_REDIRECTS = 5
/** Milliseconds without a byte after which a server is given up. */
const PATIENCE = 30_000

/** A download that could not be made; the caller turns it into advice. */
export class DownloadFailure extends Error {}

/**
 * Downloads a file. It is written beside its target under another name and takes its place only when it is whole
 * and its checksum is right; a file that is there already stays until then.
 *
 * @throws DownloadFailure where the server cannot be reached or refuses; ERR_ESPALIER_CHECKSUM for a wrong file;
 * ERR_ESPALIER_FILE where it cannot be written.
 */
export async function download(url: string, target: string, options: DownloadOptions): Promise<void> {
  const { sha256, onProgress, signal } = options
  const partial = `${target}.${randomUUID()}.part`
  const response = await get(url, signal, MOST_REDIRECTS)
  try {
    await mkdir(dirname(target), { recursive: true }).catch((cause) => refuseWriting(target, cause))
    const digest = await receive(response, partial, url, { onProgress, signal })
    if (sha256 !== undefined && digest !== sha256) {
      throw new EspalierError(
        'ERR_ESPALIER_CHECKSUM',
        `${url}: what arrived has SHA-256 ${digest}, expected ${sha256}; nothing was kept`,
      )
    }
    await rename(partial, target).catch((cause) => refuseWriting(target, cause))
  } finally {
    response.destroy()
    // Where this fails too, the reason for being here says more.
    await rm(partial, { force: true }).catch(() => {})
  }
}

/**
 * `http` rather than `fetch`: a server that marks a .gz file as `Content-Encoding: gzip` would have `fetch` unpack
 * it, and neither the checksum nor the file name would fit any more.
 */
function get(url: string, signal: AbortSignal | undefined, redirects: number): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const client = url.startsWith('https:') ? https : http
    const headers = { 'accept-encoding': 'identity', 'user-agent': 'espalier' }
    const request = client.get(url, { headers, timeout: PATIENCE, ...(signal && { signal }) })
    request.on('timeout', () => request.destroy(new Error(`no answer for ${PATIENCE / 1000} s`)))
    request.on('error', (cause) => {
      reject(signal?.aborted === true ? signal.reason : new DownloadFailure(cause.message, { cause }))
    })
    request.on('response', (response) => {
      const { statusCode = 0 } = response
      const { location } = response.headers
      if (statusCode === 200) return resolve(response)
      response.destroy()
      if (statusCode < 300 || statusCode >= 400 || location === undefined) {
        return reject(
          new DownloadFailure(`the server answers ${statusCode} ${response.statusMessage ?? ''}`.trim()),
        )
      }
      if (redirects === 0) return reject(new DownloadFailure('too many redirects'))
      const next = new URL(location, url)
      if (next.protocol !== 'https:' && next.protocol !== 'http:') {
        return reject(new DownloadFailure(`redirected to ${next.protocol}`))
      }
      resolve(get(next.href, signal, redirects - 1))
    })
  })
}

/** Writes a response to a file. Returns its SHA-256. */
async function receive(
  response: http.IncomingMessage,
  partial: string,
  url: string,
  { onProgress, signal }: DownloadOptions,
): Promise<string> {
  const hash = createHash('sha256')
  const announced = Number(response.headers['content-length'])
  const total = Number.isSafeInteger(announced) && announced > 0 ? announced : undefined
  const file = basename(new URL(url).pathname)
  const output = await open(partial, 'wx').catch((cause) => refuseWriting(partial, cause))
  let received = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hash.update(chunk)
      await output.writeFile(chunk).catch((cause) => refuseWriting(partial, cause))
      received += chunk.length
      onProgress?.({ file, received, total })
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof EspalierError) throw cause
    throw new DownloadFailure(cause instanceof Error ? cause.message : String(cause), { cause })
  } finally {
    await output.close()
  }
  return hash.digest('hex')
}

function refuseWriting(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new EspalierError('ERR_ESPALIER_FILE', `${path}: cannot be written: ${reason}`, {
    cause: fileError(path, cause),
  })
}

/** Who may use the service. */
import { Failure } from './failure.js'
import { isLoopback } from './settings.js'

/**
 * Without a token, whoever reaches this machine's own address is let in. A web page in a browser on this machine does too:
 * under a name of its own that leads here (DNS rebinding), or by a form that it posts. Both give themselves away.
 *
 * @throws {Failure} 403
 */
export async function refuseWebPages(request) {
  const { origin } = request.headers
  if (!isLoopback(request.hostname)) {
    throw new Failure(
      403,
      'ERR_HOST',
      'without a token this service answers under localhost and 127.0.0.1 only',
    )
  }
  if (origin !== undefined && origin !== `http://${request.host}`) {
    throw new Failure(403, 'ERR_ORIGIN', 'without a token this service does not answer web pages of others')
  }
}

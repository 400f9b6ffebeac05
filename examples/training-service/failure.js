/** What goes wrong, and how clients are told. */

/** A request that cannot be met, and why. The message goes to the client. */
export class Failure extends Error {
  /**
   * @param {number} statusCode of HTTP
   * @param {string} code stable, for programs
   * @param {string} message for people
   */
  constructor(statusCode, code, message) {
    super(message)
    this.statusCode = statusCode
    this.code = code
  }
}

/** What JSON schema has against something of a client: the first thing that is wrong, by its name. */
export function explainInvalid([{ instancePath, keyword, params, message }], where) {
  const name = instancePath.slice(1).replaceAll('/', '.')
  const subject = name === '' ? where : `${where}: "${name}"`
  const details = {
    additionalProperties: () => `there is no option "${params.additionalProperty}"`,
    enum: () => `allowed: ${params.allowedValues.join(', ')}`,
  }
  return new Failure(400, 'ERR_INVALID', `${subject}: ${details[keyword]?.() ?? message}`)
}

/** What errors of the library mean here. */
const statusOf = { ERR_ESPALIER_DATA: 400, ERR_ESPALIER_MEMORY: 503 }

/** What a client did wrong is told; what went wrong here only the log is. */
export function answerError(error, request, reply) {
  const statusCode = error.statusCode ?? statusOf[error.code] ?? 500
  if (statusCode === 500) {
    request.log.error(error)
    const message = 'something went wrong in the service; its log says what'
    return reply.code(statusCode).send({ statusCode, code: 'ERR_INTERNAL', message })
  }
  if (statusCode === 429 || statusCode === 503) reply.header('retry-after', '5')
  return reply.code(statusCode).send({ statusCode, code: error.code, message: error.message })
}

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

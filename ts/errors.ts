/**
 * The stable codes of every error that Espalier throws.
 *
 * `OPTION` an option is misspelt, of the wrong type or out of range; `DATA` samples, labels or features that
 * cannot be used; `FORMAT` a file that is not what it claims to be; `FILE` the operating system refused a file;
 * `NOT_FOUND` a data set, file or column that does not exist; `OFFLINE` a download that could not be made;
 * `CHECKSUM` a download that is not the expected file; `STATE` a call that the object's state does not allow
 * (used after dispose, fit while a fit runs); `DIVERGED` the loss or an output is NaN or Infinity; `MEMORY` an
 * allocation failed, of the machine or of its GPU; `DEVICE` the GPU that was asked for cannot be used (there is none,
 * its driver is missing or too old, this build has no CUDA part), or it was lost while it worked; `NATIVE` the native
 * addon could not be loaded; `INTERNAL` a defect in Espalier itself.
 */
export type ErrorCode =
  | 'ERR_ESPALIER_OPTION'
  | 'ERR_ESPALIER_DATA'
  | 'ERR_ESPALIER_FORMAT'
  | 'ERR_ESPALIER_FILE'
  | 'ERR_ESPALIER_NOT_FOUND'
  | 'ERR_ESPALIER_OFFLINE'
  | 'ERR_ESPALIER_CHECKSUM'
  | 'ERR_ESPALIER_STATE'
  | 'ERR_ESPALIER_DIVERGED'
  | 'ERR_ESPALIER_MEMORY'
  | 'ERR_ESPALIER_DEVICE'
  | 'ERR_ESPALIER_NATIVE'
  | 'ERR_ESPALIER_INTERNAL'

/** Every error that Espalier throws on purpose. `code` is stable; `message` says what was given and what is allowed. */
export class EspalierError extends Error {
  override readonly name = 'EspalierError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

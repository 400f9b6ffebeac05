/** What a comparison and its workers say to each other; plain JSON. */
import type { ErrorCode } from '../errors.js'
import type { Job, JobSettings } from './grid.js'
import type { FinishedRun } from './run-file.js'

/** What a worker is for: one run, or looking whether runs can start at all. It ends when it is done. */
export type Request =
  | { readonly type: 'run'; readonly job: Job; readonly settings: JobSettings }
  | { readonly type: 'check'; readonly jobs: readonly Job[]; readonly settings: JobSettings }

export type Answer =
  | { readonly type: 'epoch'; readonly epoch: number }
  | {
      readonly type: 'download'
      readonly file: string
      readonly received: number
      readonly total?: number | undefined
    }
  | { readonly type: 'finished'; readonly run: FinishedRun }
  | { readonly type: 'checked' }
  | { readonly type: 'failed'; readonly error: { readonly code: ErrorCode; readonly message: string } }

import { z } from 'zod'

/** `[r, c]`: connections exist in blocks of r consecutive outputs x c consecutive inputs; `[1, 1]` is plain CSR. */
export type Block = readonly [rows: number, columns: number]

/** A block shape as an option: `'4x1'` or `[4, 1]`. */
export type BlockOption = `${number}x${number}` | Block

const allowed = '"RxC" or [R, C] with whole numbers from 1 to 64, for example "1x1", "4x1", "4x4", "8x8"'
const side = z
  .number({ error: allowed })
  .int({ error: allowed })
  .min(1, { error: allowed })
  .max(64, { error: allowed })

/** Accepts both forms; gives the pair. */
export const blockSchema = z.preprocess((value) => {
  const match = typeof value === 'string' ? /^(\d{1,2})x(\d{1,2})$/.exec(value) : null
  return match === null ? value : [Number(match[1]), Number(match[2])]
}, z.tuple([side, side], { error: allowed }).readonly())

import { EspalierError } from '../errors.js'

// The addon has refused NaN and Infinity among the samples before, so only these two causes are left.
const causes =
  'either the network has diverged (load an earlier checkpoint, or train afresh with a smaller learning rate), ' +
  'or the values of these samples are too large for it (scale them)'

/** @throws ERR_ESPALIER_DIVERGED where the loss of an evaluation is NaN or Infinity */
export function checkLoss(loss: number): void {
  if (!Number.isFinite(loss)) throw diverged(`evaluate: the loss is ${loss}`)
}

/** @throws ERR_ESPALIER_DIVERGED where an output is NaN or Infinity; `outputs` is samples x outputs */
export function checkOutputs(outputs: Float32Array, samples: number): void {
  // A loop: several times as fast as `findIndex` where there are millions.
  for (let i = 0; i < outputs.length; i++) {
    if (Number.isFinite(outputs[i])) continue
    const sample = Math.floor((i * samples) / outputs.length)
    throw diverged(`predict: an output of sample ${sample} is ${outputs[i]}`)
  }
}

function diverged(what: string): EspalierError {
  return new EspalierError('ERR_ESPALIER_DIVERGED', `${what}; ${causes}`)
}

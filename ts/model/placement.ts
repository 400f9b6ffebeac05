import { flag, object, oneOf, parse } from '../validation.js'

/**
 * What computes: `cpu`; `cuda`, an NVIDIA GPU; or `auto`, the GPU where there is a usable one, else the processor.
 * `system().cuda` says which.
 */
export type Device = 'auto' | 'cpu' | 'cuda'

/** How far the factors of a product may be rounded before they are multiplied. */
export type Precision = 'float32' | 'tf32' | 'bfloat16'

/**
 * Where and how a network computes. Not a part of what the network is: no checkpoint holds it, and any checkpoint goes
 * on anywhere.
 */
export interface PlacementOptions {
  /** Default 'auto'. 'cuda' is ERR_ESPALIER_DEVICE, with the reason, where no GPU is usable. */
  device?: Device
  /**
   * How far products may round their factors; sums and weights are float32 always. 'bfloat16': on the processor the
   * activations and gradients that sparse layers gather (and weights to 16 bits where matrix units, AMX, multiply blocks
   * with sides that are multiples of 8), on a GPU weights too. 'tf32': on a GPU; elsewhere float32.
   * Default 'float32'.
   */
  precision?: Precision
  /**
   * Lets the GPU multiply a sparse layer as a dense copy where it finds that faster; costs the memory of the dense
   * layer. Default false.
   */
  denseFallback?: boolean
}

/** The options with their defaults. */
export type Placement = Readonly<Required<PlacementOptions>>

export const placementShape = {
  device: oneOf(['auto', 'cpu', 'cuda']).default('auto'),
  precision: oneOf(['float32', 'tf32', 'bfloat16']).default('float32'),
  denseFallback: flag().default(false),
}

const placementSchema = object(placementShape)

/** Checks the options and fills in the defaults. @throws ERR_ESPALIER_OPTION */
export function readPlacement(call: string, options: PlacementOptions): Placement {
  return parse(call, placementSchema, options)
}

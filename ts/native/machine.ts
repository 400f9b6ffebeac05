import os from 'node:os'
import type { NativePlacement } from './surface.js'
import { chooseDevice, system } from './system.js'

/** The machine that a run is made on. */
export interface Machine {
  espalier: string
  node: string
  /** For example linux-x64. */
  platform: string
  /** Model of the processor, as the operating system names it. */
  processor: string
  instructionSet: string
  device: 'cpu' | 'cuda'
  /** The GPU by its name; null where the processor computes. */
  card: string | null
  /** How far products may round there. */
  precision: NativePlacement['precision']
  threads: number
}

/** Model of the processor, as the operating system names it. */
export const processorName = (): string => os.cpus()[0]?.model.trim() || 'unknown'

/** Largest resident size of this process so far, in MiB. */
export const peakMemoryMB = (): number => Math.round((process.resourceUsage().maxRSS / 1024) * 10) / 10

/**
 * The machine that a run with these options is made on.
 *
 * @throws ERR_ESPALIER_DEVICE where it lacks the device, ERR_ESPALIER_NATIVE
 */
export function describeMachine(
  threads: number,
  { device: wanted, precision }: Pick<NativePlacement, 'device' | 'precision'>,
): Machine {
  const about = system()
  const { version, node, platform, instructionSet } = about
  const device = chooseDevice(wanted)
  return {
    espalier: version,
    node,
    platform,
    processor: processorName(),
    instructionSet,
    device,
    card: device === 'cuda' ? about.cuda.card : null,
    precision: device === 'cpu' && precision === 'tf32' ? 'float32' : precision,
    threads,
  }
}

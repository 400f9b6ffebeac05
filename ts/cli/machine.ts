import { readFileSync } from 'node:fs'
import os from 'node:os'
import { chooseDevice, type PlacementOptions, type RunRecord, system } from '../index.js'

/** Version of Espalier, also where the addon does not load. */
export function espalierVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}

/** Model of the processor, as the operating system names it. */
export const processorName = (): string => os.cpus()[0]?.model.trim() || 'unknown'

/** Largest resident size of this process so far, in MiB. */
export const peakMemoryMB = (): number => Math.round((process.resourceUsage().maxRSS / 1024) * 10) / 10

/** The machine that a run is made on. @throws ERR_ESPALIER_DEVICE where it lacks the device */
export function describeMachine(
  threads: number,
  { device: wanted, precision }: Required<PlacementOptions>,
): RunRecord['machine'] {
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

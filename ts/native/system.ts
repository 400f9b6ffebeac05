import { readFileSync } from 'node:fs'
import path from 'node:path'
import { addon, guarded, packageRoot } from './loader.js'
import type { InstructionSet, NativeCuda, NativePlacement } from './surface.js'

/** What this machine and this build can do; `espalier doctor` prints it. */
export interface SystemInformation {
  /** Version of Espalier. */
  version: string
  node: string
  /** For example linux-x64. */
  platform: string
  /** Instruction sets that this machine can run, slowest first. */
  instructionSets: InstructionSet[]
  /** The one in use: the best, or what the environment variable ESPALIER_INSTRUCTION_SET asks for. */
  instructionSet: InstructionSet
  /** Hardware threads. */
  threads: number
  /** The compiler that built the addon. */
  compiler: string
  /** What CUDA finds here. Looked for when it is read, which the first time takes a while where there is a GPU. */
  readonly cuda: NativeCuda
}

/** Describes machine and build. @throws ERR_ESPALIER_NATIVE when the addon cannot be loaded */
export function system(): SystemInformation {
  const { instructionSets, instructionSet, hardwareThreads, compiler } = guarded(() => addon().system())
  const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8'))
  return {
    version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    instructionSets,
    instructionSet,
    threads: hardwareThreads,
    compiler,
    get cuda() {
      return guarded(() => addon().cuda())
    },
  }
}

/**
 * The device that a network made with this option computes on here.
 *
 * @throws ERR_ESPALIER_DEVICE with the reason where it is 'cuda' and no GPU is usable; ERR_ESPALIER_NATIVE
 */
export function chooseDevice(device: NativePlacement['device'] = 'auto'): 'cpu' | 'cuda' {
  return guarded(() => addon().chooseDevice(device))
}

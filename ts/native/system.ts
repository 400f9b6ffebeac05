import { object, parse, whole } from '../validation.js'
import { addon, guarded } from './loader.js'
import type { InstructionSet, NativeCuda, NativePlacement, NativeUsage } from './surface.js'
import { packageVersion } from './version.js'

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

const limitSchema = object({ bytes: whole({ from: 1 }).nullable() })

/** Describes machine and build. @throws ERR_ESPALIER_NATIVE when the addon cannot be loaded */
export function system(): SystemInformation {
  const { instructionSets, instructionSet, hardwareThreads, compiler } = guarded(() => addon().system())
  return {
    version: packageVersion(),
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

/**
 * What the networks of this process hold and compute, those of all worker_threads together: they share one memory and
 * one set of processors, on which calls that compute take turns of some milliseconds.
 */
export function usage(): NativeUsage {
  return guarded(() => addon().usage())
}

/**
 * Limits the memory outside the JavaScript heap that the networks of this process may hold, in all worker_threads
 * together. What would go beyond it is refused before it is allocated, with ERR_ESPALIER_MEMORY: a network that is too
 * large when it is made, a run when it begins or where a rewiring needs more for a moment. What is held already stays.
 * Snapshots, which JavaScript owns, and the memory of a GPU are not counted.
 *
 * @param bytes >= 1, or null for no limit, which is the default
 * @throws ERR_ESPALIER_OPTION
 */
export function setNativeMemoryLimit(bytes: number | null): void {
  const limit = parse('setNativeMemoryLimit', limitSchema, { bytes }).bytes
  guarded(() => addon().setMemoryLimit(limit))
}

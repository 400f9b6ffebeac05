import os from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import {
  type CudaInformation,
  EspalierError,
  listDatasets,
  processorName,
  type SystemInformation,
  system,
} from '../index.js'
import { formatBytes } from '../report/numbers.js'
import { Console, Exit } from './console.js'
import { espalierVersion } from './machine.js'

/** Adds `espalier doctor`. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'say what this machine and this build can do, and what is wrong; exits with 1 if training cannot work',
    )
    .option('--data <folder>', 'a folder of data sets to check as well')
    .option('--json', 'print one JSON object')
    .action(doctor)
}

interface Diagnosis {
  version: string
  node: string
  platform: string
  processor: string
  threads: number
  memory: { totalBytes: number; freeBytes: number }
  /** The native addon, or why it does not load. */
  addon: Pick<SystemInformation, 'instructionSets' | 'instructionSet' | 'compiler'> | { error: string }
  /** What CUDA finds, or why nobody can look. */
  gpu: CudaInformation | { error: string }
  /** Data sets that are on this machine, and the folders they are in. */
  data: { found: string[]; directories: string[] } | { error: string }
}

async function doctor({ data, json }: { data?: string; json?: boolean }): Promise<void> {
  const diagnosis: Diagnosis = {
    version: espalierVersion(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processor: processorName(),
    threads: os.availableParallelism(),
    memory: { totalBytes: os.totalmem(), freeBytes: os.freemem() },
    addon: await orError(() => {
      const { instructionSets, instructionSet, compiler } = system()
      return { instructionSets, instructionSet, compiler }
    }),
    gpu: await orError(() => system().cuda),
    data: await orError(async () => {
      const here = (await listDatasets({ dataDirectory: data })).filter(({ files }) => files.length > 0)
      const directories = [...new Set(here.flatMap(({ files }) => files.map((file) => path.dirname(file))))]
      return { found: here.map(({ name }) => name), directories }
    }),
  }
  new Console(json === undefined ? {} : { json }).answer(diagnosis, () => diagnosisLines(diagnosis))
  if ('error' in diagnosis.addon) throw new Exit(1)
}

/** The GPU in one line. */
function gpuText(gpu: Diagnosis['gpu']): string {
  if ('error' in gpu) return 'unknown, since the addon does not load'
  if (!gpu.usable) return `not used: ${gpu.reason}`
  const card = `${gpu.card}, ${formatBytes(gpu.memoryBytes)} (compute ${(gpu.capability / 10).toFixed(1)})`
  const versions = `driver ${cudaVersion(gpu.driver)}, CUDA ${cudaVersion(gpu.runtime)}`
  return `${card}, ${versions}${gpu.real ? '' : '; an emulation for tests, used by device cuda only'}`
}

/** 13000 -> "13.0", as CUDA writes its versions. */
const cudaVersion = (version: number): string =>
  `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`

/** What is wrong is part of the diagnosis and does not end it. */
async function orError<T>(look: () => T | Promise<T>): Promise<T | { error: string }> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof EspalierError) return { error: error.message }
    throw error
  }
}

function diagnosisLines({
  version,
  node,
  platform,
  processor,
  threads,
  memory,
  addon,
  gpu,
  data,
}: Diagnosis): string[] {
  const lines: [string, string][] = [
    ['espalier', version],
    ['node', node],
    ['platform', platform],
    ['processor', `${processor}, ${threads} threads`],
    ['memory', `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free`],
    ...('error' in addon
      ? [['addon', `does not load: ${addon.error}`] as [string, string]]
      : [
          ['addon', `loads, built by ${addon.compiler}`] as [string, string],
          [
            'instructions',
            `${addon.instructionSet} in use; this machine has ${addon.instructionSets.join(', ')}`,
          ] as [string, string],
        ]),
    ['gpu', gpuText(gpu)],
    ...('error' in data
      ? [['data', data.error] as [string, string]]
      : [
          [
            'data sets',
            data.found.length === 0 ? 'none here beside the built-in ones' : data.found.join(', '),
          ] as [string, string],
          ...data.directories.map((directory): [string, string] => ['data in', directory]),
        ]),
  ]
  return lines.map(([name, text]) => `${name.padEnd(14)}${text}`)
}

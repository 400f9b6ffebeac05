import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { loadBenchAddon } from '../addon.js'
import { Calm } from '../calm.js'
import type { Peer } from './catalogue.js'
import { install, peersFolder, type Runtime } from './install.js'
import { run } from './process.js'
import { machineText, type PeerRecord, recordOf } from './records.js'
import type { Outcome, Task } from './task.js'

const outcomeSchema: z.ZodType<Outcome> = z.object({
  version: z.string(),
  note: z.string(),
  loss: z.number(),
  milliseconds: z.array(z.number()),
})

export const processor = cpus()[0]?.model.trim() || 'unknown'

/** Asked for before anything binds this thread to one of them. */
const processors = availableParallelism()

const machine = `${machineText(processor, processors)}, Node ${process.version}`

/** Runs a script on a task, in a process of its own. @throws Error with its last complaint */
async function outcomeOf({ program, folder }: Runtime, script: string, task: Task): Promise<Outcome> {
  const threads = String(task.threads)
  const output = await run(program, [script, JSON.stringify(task)], folder, {
    OMP_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
    OPENBLAS_NUM_THREADS: threads,
    PYTHONDONTWRITEBYTECODE: '1',
  })
  return outcomeSchema.parse(JSON.parse(output.trim().split('\n').at(-1) ?? ''))
}

const espalier = {
  runtime: { program: process.execPath, folder: peersFolder },
  script: join(import.meta.dirname, 'espalier.js'),
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** Installs the peers; those that cannot be installed are left out, with a message. */
export async function available(peers: readonly Peer[]): Promise<(Peer & { runtime: Runtime })[]> {
  const found = []
  for (const peer of peers) {
    try {
      found.push({ ...peer, runtime: await install(peer.packages) })
    } catch (error) {
      console.error(`${peer.name} is skipped, it cannot be installed: ${errorOf(error).message}`)
    }
  }
  return found
}

export function calmOfProcesses(): Calm {
  const addon = loadBenchAddon()
  const unbound = (measured: number) => {
    // That has bound this thread to one processor, which the scripts' processes would inherit.
    addon.bindToProcessors(processors)
    return measured
  }
  return new Calm({
    handover: (threads) => unbound(addon.handover(threads)),
    pace: (threads) => unbound(addon.pace(threads)),
  })
}

/** One peer on one task, Espalier just before it. */
export function measure(peer: Peer & { runtime: Runtime }, task: Task, calm: Calm): Promise<PeerRecord> {
  return calm.time(task.threads, async () => {
    const own = await outcomeOf(espalier.runtime, espalier.script, task)
    const outcome = await outcomeOf(peer.runtime, peer.script, task).catch(errorOf)
    return recordOf(peer.name, task, outcome, own, machine)
  })
}

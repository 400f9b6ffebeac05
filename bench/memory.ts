import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { BlockName, FailureRecord, MemoryRecord } from './records.js'
import { blocks } from './suites/plan.js'

// What a network costs while it trains: resident memory of a process of its own, read from the operating system before
// the network exists and at the peak (Linux only).

export const memoryShape = { width: 4096, hidden: 3, batch: 256 } as const

/** What a child process trains. */
export interface MemoryCase {
  /** 0: dense. */
  sparsity: number
  block: BlockName
  /** Whether connections move, by RigL. */
  rewires: boolean
}

/** Megabytes that the network adds at the highest. */
function inOwnProcess(what: MemoryCase): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'memory-child.js'), [JSON.stringify(what)])
    child.once('message', (message) => resolve(message as number))
    child.once('error', reject)
    child.once('exit', (code) =>
      reject(new Error(`the process of ${JSON.stringify(what)} ended with ${code}`)),
    )
  })
}

export interface MemoryListener {
  measured(record: MemoryRecord): void
  failed(failure: FailureRecord): void
}

/** @param full at 99 % sparsity and with RigL too */
export async function measureMemory(full: boolean, listener: MemoryListener): Promise<void> {
  const sparse = (full ? [0.9, 0.99] : [0.9]).flatMap((sparsity) =>
    blocks.map((block) => ({ sparsity, block })),
  )
  for (const network of [{ sparsity: 0, block: '1x1' } as const, ...sparse]) {
    try {
      const megabytes = await inOwnProcess({ ...network, rewires: false })
      const rewires = full && network.sparsity > 0
      const rewiringMegabytes = rewires ? await inOwnProcess({ ...network, rewires }) : null
      listener.measured({ ...network, megabytes, rewiringMegabytes })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      listener.failed({ what: `memory ${network.sparsity} ${network.block}`, message })
    }
  }
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { networkOf } from './network.js'
import { samplesOf } from './samples.js'
import type { Task } from './task.js'

// What a task's folder holds, all little-endian without headers:
//   values           float32, samples x inputs        labels   int32, samples
//   order            int32, samples: batches are taken along it
//   layers.<i>.crow_indices int64, .col_indices int32, .values float32: a sparse layer, outputs x inputs in CSR
//   layers.<i>.weight       float32, outputs x inputs: the dense one. Biases start at zero.

/** Writes a task's weights and data; returns the task with its folder. */
export async function writeTask(task: Task, parent: string): Promise<Task> {
  const folder = join(parent, `${task.name}-${task.sparsity}`)
  mkdirSync(folder, { recursive: true })
  using network = networkOf(task)
  const { tensors } = await network.snapshot()
  const files = Object.entries(samplesOf(task)).map(([name, data]) => ({ name, data }))
  for (const { name, data } of [...files, ...tensors]) writeFileSync(join(folder, name), data)
  return { ...task, folder }
}

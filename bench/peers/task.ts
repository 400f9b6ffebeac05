/** What every peer and Espalier do alike: training steps of one network on one set of samples. */
export interface Task {
  /** `step`: the project's own measure. `nerva`: the protocol that Nerva's authors published. */
  name: 'step' | 'nerva'
  /** Inputs, hidden layers, outputs; hidden layers are sparse with ReLU, the last one is dense. */
  sizes: readonly number[]
  batch: number
  /** A multiple of `batch`, so that all steps are alike. */
  samples: number
  threads: number
  sparsity: number
  learningRate: number
  momentum: number
  nesterov: boolean
  /** Steps from the same weights over the same batches whose losses are compared with Espalier's. */
  checkSteps: number
  /** Roughly how long the timing lasts. */
  seconds: number
  /** Holds the weights, samples and labels; see files.ts. */
  folder: string
}

/** What a script prints as the last line of its standard output. */
export interface Outcome {
  /** Of the library. */
  version: string
  /** How the products were computed, where there was a choice. */
  note: string
  /** Mean loss of the first `checkSteps` batches, each before its update. */
  loss: number
  /** One entry a step; Espalier in Nerva's protocol: one an epoch, the mean of its steps. */
  milliseconds: number[]
}

export interface Plan {
  threads: readonly number[]
  sparsities: readonly number[]
  nervaSparsities: readonly number[]
  seconds: number
}

const common = { momentum: 0.9, learningRate: 0.01, checkSteps: 20, folder: '' }

/** The tasks of a plan, without their folders. */
export function tasksOf(plan: Plan): Task[] {
  const all = Math.max(...plan.threads)
  const { seconds } = plan
  const step = {
    name: 'step',
    sizes: [784, 1024, 1024, 10],
    batch: 128,
    samples: 8192,
    nesterov: false,
  } as const
  const nerva = {
    name: 'nerva',
    sizes: [3072, 1024, 512, 10],
    batch: 100,
    samples: 8000,
    nesterov: true,
  } as const
  return [
    ...plan.threads.flatMap((threads) =>
      plan.sparsities.map((sparsity) => ({ ...common, ...step, seconds, threads, sparsity })),
    ),
    ...plan.nervaSparsities.map((sparsity) => ({ ...common, ...nerva, seconds, threads: all, sparsity })),
  ]
}
